using System.Globalization;
using Sandbox;

namespace Edge;

/// <summary>What open consoles cost the data path of a gateway.</summary>
/// <param name="Closed">Processor time a request, over that of another gateway in the same round, before any console was open.</param>
/// <param name="Open">The same with <see cref="Consoles.Count"/> open.</param>
internal sealed record ConsoleCost(IReadOnlyList<double> Closed, IReadOnlyList<double> Open)
{
    /// <summary>The part of a request's processor time that the consoles add.</summary>
    public double Added => (Median.Of(Open) / Median.Of(Closed)) - 1;
}

/// <summary>Open consoles: clients that each poll the management listener's API as one of the console's pages does.</summary>
internal sealed class Consoles(string managementUrl, string token) : IDisposable
{
    public const int Count = 20;

    private static readonly TimeSpan s_poll = TimeSpan.FromSeconds(2);
    private static readonly string[] s_pages = ["/api/status", "/api/routes", "/api/clusters", "/api/vending", "/api/events"];

    private readonly HttpClient _client = new()
    {
        BaseAddress = new Uri(managementUrl),
        DefaultRequestHeaders = { { "X-Poll-After-Ms", "2000" }, { "Authorization", $"Bearer {token}" } },
    };

    /// <summary>
    /// Two gateways take turns, first without consoles, then with consoles of one of them. Two processes of one program differ by some percent, and the machine's
    /// speed changes with time: neither is counted so. One gateway alone would not do, because it goes on recording when its consoles are closed.
    /// </summary>
    public static async Task<ConsoleCost> MeasureAsync(Stage stage, int turns)
    {
        var requests = stage.WriteRequests("consoles", [stage.SomePassThrough]);
        using var watched = await stage.StartGatewayAsync("watched", Configurations.Operators);
        using var other = await stage.StartGatewayAsync("unwatched", Configurations.Operators);
        foreach (var gateway in (Gateway[])[watched, other]) await WarmUp.RunAsync(Wrk.RunAsync, gateway.Server, requests);

        var closed = await RatiosAsync();
        using var consoles = new Consoles(
            watched.ManagementUrl,
            stage.World.Issuer.Issue(new TokenRequest { Roles = [Configurations.OperatorRole], Expires = TimeSpan.FromHours(1) }));
        double[] open = [];
        await consoles.WhileOpenAsync(async () =>
        {
            // The pages' code is compiled during this time.
            await Task.Delay(2 * s_poll);
            open = await RatiosAsync();
        });
        return new(closed, open);

        async Task<double[]> RatiosAsync()
        {
            var ratios = new double[turns];
            for (var turn = 0; turn < turns; turn++)
            {
                // The same work on both sides of a turn's middle, so that a machine that becomes faster or slower counts for neither.
                var before = await Wrk.RunAsync(other.Server, requests, seconds: 1);
                var ours = (await Wrk.RunAsync(watched.Server, requests, seconds: 2)).Processor;
                var after = await Wrk.RunAsync(other.Server, requests, seconds: 1);
                ratios[turn] = 2 * ours / (before.Processor + after.Processor);
            }

            return ratios;
        }
    }

    /// <summary>Keeps them open until the work has ended.</summary>
    /// <exception cref="HttpRequestException">The API refused a console, or failed.</exception>
    private async Task WhileOpenAsync(Func<Task> work)
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
                // As the page's script.
                await Task.Delay(int.Parse(response.Headers.GetValues("X-Poll-After-Ms").Single(), CultureInfo.InvariantCulture), closing);
            }
        }
        catch (OperationCanceledException) when (closing.IsCancellationRequested)
        {
        }
    }
}
