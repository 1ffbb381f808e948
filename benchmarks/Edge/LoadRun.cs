namespace Edge;

/// <summary>Sends a server the requests of a file, for so many seconds, as fast as the server responds.</summary>
internal delegate Task<LoadRun> Load(Server server, string requests, int seconds);

/// <summary>What one run of a load generator measured.</summary>
/// <param name="Requests">How many got a response.</param>
/// <param name="Rate">Responses a second.</param>
/// <param name="P50">Half of the responses came within this many milliseconds.</param>
/// <param name="P99">99 of 100 did within this many.</param>
internal sealed record LoadRun(long Requests, double Rate, double P50, double P99)
{
    /// <summary>Microseconds of the server's processor time a request.</summary>
    public double Processor { get; init; }
}
