using Gateway.Configuration.Snapshots;

namespace Gateway.Commands.Check;

/// <summary>Warns when forwarding routes were written for plain YARP and do not set who may use them.</summary>
internal static class PlainYarp
{
    private const string Routes = "ReverseProxy:Routes";

    // Words of YARP's own.
    private static readonly HashSet<string> s_reserved = new(StringComparer.OrdinalIgnoreCase) { "Anonymous", "Default" };

    /// <summary>
    /// Returns a warning if there are forwarding routes without an AuthorizationPolicy, none names a policy of the configuration, and none has metadata.
    /// Otherwise returns null.
    /// </summary>
    public static Finding? FindingOf(Snapshot configuration)
    {
        var forwarding = configuration.Routes.Where(route => route.ClusterId is not null).ToArray();
        var count = forwarding.Count(static route => route.AuthorizationPolicy is null);
        if (count == 0
            || forwarding.Any(static route => (route.AuthorizationPolicy is { } policy && !s_reserved.Contains(policy)) || route.Metadata is { Count: > 0 }))
            return null;
        return new(Severity.Warning, Routes, configuration.SourceOf(Routes),
            $"seems to be written for YARP alone. Without an AuthorizationPolicy, {count} of {forwarding.Length} forwarded routes need a token: "
            + "write \"Anonymous\" on a route that is open to everyone, and \"Default\" on the others. "
            + "No route forwards Authorization and Cookie: if a service reads them, write "
            + "\"Metadata\": { \"ForwardAuthorization\": \"true\", \"ForwardCookies\": \"true\" } on its route. See docs/from-yarp.md.");
    }
}
