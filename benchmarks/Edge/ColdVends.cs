using Testing;

namespace Edge;

/// <summary>Callers that ask a gateway for the credentials of one new organization after the other.</summary>
internal sealed class ColdVends(Gateway gateway, Stage stage) : IDisposable
{
    private readonly Lock _lock = new();

    private readonly IEnumerator<(string Organization, string Token)> _organizations =
        stage.CallersOf(Enumerable.Range(0, int.MaxValue).Select(static i => $"o-cold{i}"), inOneToken: 100).GetEnumerator();

    /// <summary>So many callers ask until the work has ended. A refusal, because the budget of STS is used up, is a response as well.</summary>
    public async Task WhileVendingAsync(int atOnce, Func<Task> work)
    {
        using var end = new CancellationTokenSource();
        var callers = Enumerable.Range(0, atOnce).Select(_ => Task.Run(() => AskAsync(end.Token))).ToArray();
        try
        {
            await work();
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(callers);
        }
    }

    public void Dispose() => _organizations.Dispose();

    private async Task AskAsync(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var (organization, token) = Next();
            var response = await stage.World.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token);
            if (response.Status is not (200 or 503)) throw new InvalidOperationException($"{organization}: {response.Status} {response.Body}");
        }
    }

    private (string Organization, string Token) Next()
    {
        lock (_lock)
        {
            _organizations.MoveNext();
            return _organizations.Current;
        }
    }
}
