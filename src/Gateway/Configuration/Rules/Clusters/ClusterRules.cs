using System.Globalization;
using Gateway.Networking;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>
/// Checks that each cluster has destinations, that destination and health addresses are valid, and that session affinity and health checks are
/// usable.
/// </summary>
internal static class ClusterRules
{
    private static readonly TimeSpan s_longestCookie = TimeSpan.FromDays(36_500);

    // These are the numbers that YARP's health policies read from a cluster's metadata. If a value is not a number, they use their defaults without
    // reporting it.
    private static readonly (string Name, Func<double, bool> IsGood, string Advice)[] s_numbers =
    [
        ("ConsecutiveFailuresHealthPolicy.Threshold", static number => number is >= 1 and < double.PositiveInfinity,
            "how many probes in a row fail before a destination is left out, 1 or more, such as \"3\""),
        ("TransportFailureRateHealthPolicy.RateLimit", static number => number is > 0 and <= 1,
            "the part of failed requests from which a destination is left out, above 0 and at most 1, such as \"0.3\""),
    ];

    private const string WriteAddress = "Write scheme, host, port and at most a path, such as \"http://localhost:5001/\".";

    /// <summary>Checks every cluster.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var cluster in context.Clusters)
        {
            if (cluster.SessionAffinity is { Enabled: true, Policy: "Cookie" or "CustomHeader" } affinity)
                context.Error(RouteKey.Of(cluster, "SessionAffinity:Policy"),
                    $"is {affinity.Policy}, whose key only the replica that made it could read. Write \"HashCookie\" or \"ArrCookie\".");
            foreach (var (name, isGood, advice) in s_numbers)
                if (cluster.Metadata?.GetValueOrDefault(name) is { } text
                    && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && isGood(number)))
                    context.Error(RouteKey.Of(cluster, $"Metadata:{name}"), $"is {Finding.Quote(text)}. Write {advice}.");
            if (cluster.SessionAffinity is { Enabled: true } kept) Check(context, cluster, kept);
            if (cluster.Destinations is not { Count: > 0 })
                context.Error(RouteKey.Of(cluster, "Destinations"),
                    "is required: there is nowhere to forward to. "
                    + "Write such as { \"a\": { \"Address\": \"http://localhost:5001/\" } }.");
            foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>()) Check(context, cluster, name, destination);
            if (cluster.HealthCheck?.Active is { Enabled: true } active) Check(context, cluster, active);
        }
    }

    // The key is the name of a cookie or a header. If the name is invalid, every response fails.
    private static void Check(RuleContext context, ClusterConfig cluster, SessionAffinityConfig affinity)
    {
        if (!string.IsNullOrEmpty(affinity.AffinityKeyName) && !HttpToken.Is(affinity.AffinityKeyName))
            context.Error(RouteKey.Of(cluster, "SessionAffinity:AffinityKeyName"),
                $"is {Finding.Quote(affinity.AffinityKeyName)}, which is not the name of a cookie: it is made of {HttpToken.Form}. "
                + "Write such as \"instance\".");
        foreach (var (name, time) in new[] { ("Expiration", affinity.Cookie?.Expiration), ("MaxAge", affinity.Cookie?.MaxAge) })
            if (time <= TimeSpan.Zero || time > s_longestCookie)
                context.Error(RouteKey.Of(cluster, $"SessionAffinity:Cookie:{name}"),
                    $"is {time}, which no cookie can last. Write a time above zero and up to {s_longestCookie.Days} days, such as \"1.00:00:00\".");
        foreach (var (name, value) in new[] { ("Domain", affinity.Cookie?.Domain), ("Path", affinity.Cookie?.Path) })
            if (value?.Any(static character => character is < ' ' or > '~' or ';' or ',') == true)
                context.Error(RouteKey.Of(cluster, $"SessionAffinity:Cookie:{name}"),
                    $"is {Finding.Quote(value)}, which no cookie can say. Write ASCII without ; and ,.");
    }

    private static void Check(RuleContext context, ClusterConfig cluster, string name, DestinationConfig destination)
    {
        var key = $"Destinations:{name}";
        if (DestinationAddress.Problem(destination.Address) is { } problem)
            context.Error(RouteKey.Of(cluster, $"{key}:Address"), $"is {Finding.Quote(destination.Address ?? "")}, {problem}. {WriteAddress}");
        else if (new Uri(destination.Address).UserInfo.Length > 0)
            context.Warning(RouteKey.Of(cluster, $"{key}:Address"),
                "holds a user's name, which is sent to nobody. Remove it; what a service asks for is sent by a transform such as { \"RequestHeader\": "
                + "\"Authorization\", \"Set\": \"…\" }.");
        if (!string.IsNullOrEmpty(destination.Health) && DestinationAddress.Problem(destination.Health) is { } unhealthy)
            context.Error(RouteKey.Of(cluster, $"{key}:Health"), $"is {Finding.Quote(destination.Health)}, {unhealthy}. {WriteAddress}");
        if (!string.IsNullOrEmpty(destination.Host) && !DestinationAddress.IsHost(destination.Host))
            context.Error(RouteKey.Of(cluster, $"{key}:Host"),
                $"is {Finding.Quote(destination.Host)}, which is not a host. "
                + "Write the name that the service is called by, such as \"api.internal\" or \"api.internal:8443\".");
    }

    private static void Check(RuleContext context, ClusterConfig cluster, ActiveHealthCheckConfig active)
    {
        if (!string.IsNullOrEmpty(active.Path) && (active.Path[0] != '/' || active.Path.AsSpan().ContainsAny("?#\\ ") || active.Path.Any(char.IsControl)))
            context.Error(RouteKey.Of(cluster, "HealthCheck:Active:Path"),
                $"is {Finding.Quote(active.Path)}, which is not a path: every probe would fail. "
                + "Write such as \"/health\", and what follows a \"?\" under Query.");
        if (!string.IsNullOrEmpty(active.Query) && (active.Query[0] != '?' || active.Query.AsSpan().ContainsAny("#\\ ") || active.Query.Any(char.IsControl)))
            context.Error(RouteKey.Of(cluster, "HealthCheck:Active:Query"),
                $"is {Finding.Quote(active.Query)}, which is not a query: every probe would fail. Write it with its question mark, such as \"?verbose=true\".");
    }
}
