using System.Diagnostics;

namespace Gateway.Management;

/// <summary>
/// Lets the exporter write into memory, and sends that to the client afterwards. The exporter starts no collection while an earlier one is still being written,
/// so a client that does not read would stop all scrapes.
/// </summary>
internal sealed class ScrapeResponses : IDisposable
{
    /// <summary>How many responses are in memory at most. A further request waits, and ends the oldest that has been sent for <see cref="Patience"/>.</summary>
    public const int MostSending = 4;

    /// <summary>How long a client may take for a response, if others wait.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _room = new(MostSending);
    private readonly LinkedList<(HttpContext Context, long Begun)> _sending = [];

    public async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        // One wait, so that a request keeps its place among those that wait.
        var entry = _room.WaitAsync(context.RequestAborted);
        while (await Task.WhenAny(entry, Task.Delay(Patience)) != entry) EndOldest();
        await entry;
        LinkedListNode<(HttpContext Context, long Begun)>? mine = null;
        try
        {
            using var copy = new MemoryStream();
            var body = context.Response.Body;
            context.Response.Body = copy;
            try
            {
                await next(context);
            }
            finally
            {
                context.Response.Body = body;
            }

            if (copy.Length == 0) return;
            context.Response.ContentLength = copy.Length;
            mine = new((context, Stopwatch.GetTimestamp()));
            lock (_sending) _sending.AddLast(mine);
            await body.WriteAsync(copy.GetBuffer().AsMemory(0, (int)copy.Length), context.RequestAborted);
        }
        finally
        {
            lock (_sending)
                if (mine?.List is not null) _sending.Remove(mine);
            _room.Release();
        }
    }

    public void Dispose() => _room.Dispose();

    private void EndOldest()
    {
        lock (_sending)
        {
            if (_sending.First is not { } oldest || Stopwatch.GetElapsedTime(oldest.Value.Begun) < Patience) return;
            _sending.Remove(oldest);
            oldest.Value.Context.Abort();
        }
    }
}
