using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Endpoint metadata: the limit that the route names.</summary>
internal sealed record RouteLimitMetadata(string Name, RateLimitPolicyOptions Options);

/// <summary>
/// Identifies one counter. The options are compared by value: after a reload, an unchanged limit keeps its counters, and a changed one starts from zero.
/// </summary>
internal readonly record struct LimitKey(string Name, RateLimitPolicyOptions Options, string Partition);
