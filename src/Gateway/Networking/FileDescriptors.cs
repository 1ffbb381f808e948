namespace Gateway.Networking;

/// <summary>How the file descriptors of the process are shared out: a runtime that needs one and gets none ends the process.</summary>
/// <param name="Limit">The most that the process may have open.</param>
internal sealed record FileDescriptors(long Limit)
{
    // Some 300 are open before the first request: assemblies twice each, pipes and listeners, the log, Redis, issuers and AWS.
    private const long MostReserved = 1024;

    // Those that neither the public listener nor requests may take.
    private long Reserve => Math.Min(MostReserved, Limit / 2);

    /// <summary>
    /// A part of the reserve, for each of: connections to management; those of clients that are being closed; and those to services beyond the requests', such
    /// as health checks.
    /// </summary>
    public long Spare => Reserve / 8;

    /// <summary>The limit of this process. The runtime has raised the soft limit to the hard one. Without <c>/proc</c> no limit is known.</summary>
    public static FileDescriptors OfProcess()
    {
        const string Limits = "/proc/self/limits";
        var words = File.Exists(Limits)
            ? File.ReadLines(Limits).FirstOrDefault(static line => line.StartsWith("Max open files", StringComparison.Ordinal))
                ?.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : null;
        return new(words is [_, _, _, var soft, ..] && long.TryParse(soft, out var limit) ? limit : long.MaxValue);
    }

    /// <summary>The most connections of clients: as configured, but two thirds at most, so that their requests have the rest.</summary>
    public long Connections(long? configured) => Math.Min(configured ?? long.MaxValue, (Limit - Reserve) / 3 * 2);

    /// <summary>The most requests that are forwarded at once. Each may take a connection to a service.</summary>
    public long Requests(long? configuredConnections) => Limit - Reserve - Connections(configuredConnections);
}
