using System.Net.Http.Headers;

namespace Edge;

/// <summary>Open consoles: clients that each poll the management listener's API as one of the console's pages does.</summary>
internal sealed class Consoles(string managementUrl, string token) : IDisposable
{
    private const int Count = 20;

    // As the page's script.
    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(2);
    private static readonly string[] s_pages = ["/api/status", "/api/routes", "/api/clusters", "/api/vending", "/api/events"];

    private readonly HttpClient _client = new()
    {
        BaseAddress = new Uri(managementUrl),
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", token) },
    };

    /// <summary>Keeps them open until the work has ended.</summary>
    /// <exception cref="HttpRequestException">The API refused a console, or failed.</exception>
    public async Task WhileOpenAsync(Func<Task> work)
    {
        using var closing = new CancellationTokenSource();
        var consoles = Enumerable.Range(0, Count).Select(console => PollAsync(console, closing.Token)).ToArray();
        await work();
        await closing.CancelAsync();
        await Task.WhenAll(consoles);
    }

    public void Dispose() => _client.Dispose();

    private async Task PollAsync(int console, CancellationToken closing)
    {
        try
        {
            // They were not opened at the same moment.
            await Task.Delay(s_poll * console / Count, closing);
            while (true)
            {
                using var response = await _client.GetAsync(s_pages[console % s_pages.Length], closing);
                response.EnsureSuccessStatusCode();
                await Task.Delay(s_poll, closing);
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
        }
    }
}
