using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Endpoint metadata: the limit that the route names.</summary>
internal sealed record RouteLimit(string Name, RateLimitPolicyOptions Options);

/// <summary>
/// What has a count of its own. The options are compared by value: a limit that a reload left as it was keeps its counts, and one that was
/// changed starts anew.
/// </summary>
internal readonly record struct LimitKey(string Name, RateLimitPolicyOptions Options, string Partition);
