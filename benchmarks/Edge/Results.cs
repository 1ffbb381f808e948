using System.Globalization;
using System.Text;

namespace Edge;

/// <summary>What was measured, as a page.</summary>
internal static class Results
{
    public static string TableOf(IEnumerable<Target> targets)
    {
        var table = new StringBuilder("""
            | what | requests a second: minimum | median | maximum | p50, ms | p99, ms | processor time a request, µs |
            |---|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var each in targets)
        {
            table.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {each.What} (`{each.Name}`) | {each.Rates.Min():N0} | {each.Rate:N0} | {each.Rates.Max():N0} | "
                + $"{each.P50:F2} | {each.P99:F2} | {each.Processor:F0} |");
        }

        return table.ToString();
    }

    public static string TableOf(IEnumerable<Goal> goals)
    {
        var table = new StringBuilder("""
            | what | goal | must hold | measured | verdict |
            |---|---|---|---|---|

            """);
        foreach (var each in goals)
            table.AppendLine(CultureInfo.InvariantCulture, $"| {each.What} | {each.Wanted} | {each.Required} | {each.Measured} | {each.Verdict} |");
        return table.ToString();
    }

    public static string TableOf(IEnumerable<GrowthStep> steps)
    {
        var table = new StringBuilder("""
            | organizations | new ones a second | warm p50, ms | p99, ms | processor time a request, µs | heap after a collection, MiB | resident, MiB |
            |--:|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var each in steps)
        {
            table.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {each.Organizations:N0} | {each.Filled:N0} | {each.Warm.P50:F2} | {each.Warm.P99:F2} | {each.Warm.Processor:F0} | "
                + $"{each.Heap / (1 << 20):F1} | {each.Memory / (1 << 20):F0} |");
        }

        return table.ToString();
    }

    public static string TableOf(IEnumerable<StreamRun> runs)
    {
        var table = new StringBuilder("""
            | idle streams | | opened a second | resident memory of each, KiB | part of one processor for all | p50 of warm vends, ms | µs each |
            |---|--:|--:|--:|--:|--:|--:|

            """);
        foreach (var run in runs)
        {
            table.AppendLine(
                CultureInfo.InvariantCulture,
                $"| {run.Kind} | {run.Streams:N0} | {run.Opened:N0} | {run.Bytes / 1024:F1} | {run.Processor:P1} | "
                + $"{run.Alone.P50:F2}, {run.Beside.P50:F2} | {run.Alone.Processor:F0}, {run.Beside.Processor:F0} |");
        }

        return table.AppendLine("\nWarm vends: before the first stream, and beside all of them.").ToString();
    }

    public static string TableOf(IEnumerable<Warmth> runs)
    {
        int[] seconds = [1, 2, 3, 4, 6, 8, 10, 15, 20, 30];
        var table = new StringBuilder($"""
            | processor time a request, µs, in second | {string.Join(" | ", seconds)} |
            |---|{string.Concat(seconds.Select(static _ => "--:|"))}

            """);
        foreach (var run in runs)
        {
            var costs = seconds.Select(second => run.Seconds[second - 1].Processor.ToString("F0", CultureInfo.InvariantCulture));
            table.AppendLine($"| {run.What} | {string.Join(" | ", costs)} |");
        }

        return table.ToString();
    }

    public static string TableOf(IEnumerable<RouteStep> steps)
    {
        var table = new StringBuilder("""
            | routes | warm p50, ms | processor time a request, µs |
            |--:|--:|--:|

            """);
        foreach (var each in steps) table.AppendLine(CultureInfo.InvariantCulture, $"| {each.Routes:N0} | {each.P50:F2} | {each.Processor:F0} |");
        return table.ToString();
    }

    public static string Page(IEnumerable<string> machine, IReadOnlyList<Target> targets, string tables, int seconds)
    {
        var noisiest = targets.MaxBy(Spread)!;
        return $"""
            # The gateway beside its peers

            Written by `benchmarks/run.sh`; do not edit.

            {string.Join('\n', machine.Select(line => $"* {line}"))}

            ![Requests a second](results.svg)

            {tables}
            ## How it was measured

            * Everything runs on this machine and talks over loopback; the load generator takes its share of the same cores. Only ratios of one run mean
              anything elsewhere.
            * Load: `wrk`, one thread, 32 connections, the same requests to every peer: 1,000 organizations, each with an RS256 token of its own. Every response
              was a success and as large as what the gateway vends, {Stage.ResponseBytes:N0} bytes, unless its row names another size. The service behind every
              proxy is one nginx worker that responds with constant bytes.
            * Every .NET server has the gateway's settings of the compiler, so that all are at their best as soon. Each was warmed, by
              {WarmUp.FewestResponses:N0} requests at least, until one cost it no less processor time than before, or for {WarmUp.Longest} s; then measured in
              {targets[0].Rates.Count} rounds of {seconds} s that took turns over all of them. p50, p99 and processor time are medians of the rounds.
            * As shipped, the gateway writes an access line for every request and an audit line for every vend (to a file here); with its log lines off, only
              warnings. Guard, authentication, policy, identity headers, limits, health checks and metrics are on in both. Of what ships only addresses, the
              sealing key and two limits (rate, STS budget) were changed.
            * Peers that log write to a file too: HAProxy its `httplog`, nginx its `combined`, YARP the framework's HTTP logging of six
              fields.
              The processor time of nginx with `auth_request` includes the checker's.
            * HTTP/2 from clients: `h2load`, one thread, 4 connections with 8 streams each, one organization.
            * p99 at half of the peak: 256 callers that pause by chance before each request, so that the rate is kept and requests do not wait in line for each
              other; both in turns. Cold vends: callers that ask for one new organization after the other, as fast as the shipped budget of STS allows; STS, Redis
              and these callers share the two cores.
            * Growth: one gateway, log lines off, is asked for ever more organizations, each for the first time; then 8 connections ask for up to 10,000 of them
              again. The heap is what is held after a full collection. Beyond the bound: with `Cache:MaxEntries` 1,000, from 2,000 organizations to 10,000.
            * Routes: gateways, log lines off, that differ by their number of routes, and pass requests through on all of them in turn; 8 connections.
            * Noise: a ratio's range is that of single rounds. The least steady was `{noisiest.Name}`, whose rounds lay {Spread(noisiest):P0} of their median
              apart; what differs by less than that may not differ at all.

            """;
    }

    private static double Spread(Target target) => (target.Rates.Max() - target.Rates.Min()) / target.Rate;
}
