using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Endpoint metadata: the limit that the route names.</summary>
internal sealed record RouteLimitMetadata(string Name, RateLimitPolicyOptions Options)
{
    // A string of RFC 8941 is printable ASCII, without quotes and backslashes unless they are escaped. Percent-encoding leaves neither.
    private readonly string _item = $"\"{Uri.EscapeDataString(Name)}\"";

    /// <summary>The value of <c>RateLimit-Policy</c>, as in draft-ietf-httpapi-ratelimit-headers.</summary>
    public string Policy { get; } = $"\"{Uri.EscapeDataString(Name)}\";q={Options.PermitLimit}" + Options switch
    {
        { Algorithm: RateLimitAlgorithm.Concurrency } => ";qu=\"concurrent-requests\"",
        // The window is in whole seconds, or left out.
        _ when Options.Window.Ticks % TimeSpan.TicksPerSecond == 0 => $";w={Options.Window.Ticks / TimeSpan.TicksPerSecond}",
        _ => "",
    };

    /// <summary>The value of <c>RateLimit</c>.</summary>
    /// <param name="remaining">How many permits are left.</param>
    /// <param name="more">The time until more become available; null if unknown.</param>
    public string State(long remaining, TimeSpan? more) =>
        more is { } wait ? $"{_item};r={remaining};t={Math.Max(0, Math.Ceiling(wait.TotalSeconds))}" : $"{_item};r={remaining}";
}

/// <summary>
/// Identifies one counter. The options are compared by value: after a reload, an unchanged limit keeps its counters, and a changed one starts from zero.
/// </summary>
internal readonly record struct LimitKey(string Name, RateLimitPolicyOptions Options, string Partition)
{
    // A hash of all options costs more than the rest of a limit's check.
    public override int GetHashCode() => HashCode.Combine(Name, Partition);
}
