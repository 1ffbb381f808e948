namespace Gateway.Management;

/// <summary>
/// Lets the exporter write into memory, and sends that to the client afterwards. The exporter starts no collection while an earlier one is still being written,
/// so a client that does not read would stop all scrapes.
/// </summary>
internal sealed class ScrapeResponses : IDisposable
{
    /// <summary>How many responses wait for their clients at most. One more ends the oldest.</summary>
    public const int MostSending = 4;

    private readonly SemaphoreSlim _collecting = new(1);
    private readonly LinkedList<HttpContext> _sending = [];
    private int _length;

    public async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        var (body, mine) = (context.Response.Body, new LinkedListNode<HttpContext>(context));
        // Only one at a time, because each is a copy.
        await _collecting.WaitAsync(context.RequestAborted);
        ReadOnlyMemory<byte> collected;
        try
        {
            using var copy = new MemoryStream(_length);
            context.Response.Body = copy;
            await next(context);
            collected = copy.GetBuffer().AsMemory(0, _length = (int)copy.Length);
            BeginSending(mine);
        }
        finally
        {
            context.Response.Body = body;
            _collecting.Release();
        }

        try
        {
            if (collected.IsEmpty) return;
            context.Response.ContentLength = collected.Length;
            await body.WriteAsync(collected, context.RequestAborted);
        }
        finally
        {
            lock (_sending)
                if (mine.List is not null) _sending.Remove(mine);
        }
    }

    public void Dispose() => _collecting.Dispose();

    private void BeginSending(LinkedListNode<HttpContext> mine)
    {
        lock (_sending)
        {
            _sending.AddLast(mine);
            if (_sending.Count <= MostSending) return;
            // Its client reads more slowly than the others.
            _sending.First!.Value.Abort();
            _sending.RemoveFirst();
        }
    }
}
