using Gateway.Configuration.Snapshots;

namespace Gateway.Commands.Check;

/// <summary>Warns when forwarding routes were written for plain YARP and do not set who may use them.</summary>
internal static class PlainYarp
{
    private const string Routes = "ReverseProxy:Routes";

    /// <summary>
    /// Returns a warning if there are forwarding routes, none names an AuthorizationPolicy, and none has metadata. Otherwise returns null.
    /// </summary>
    public static Finding? FindingOf(Snapshot configuration)
    {
        var forwarding = configuration.Routes.Where(route => route.ClusterId is not null).ToArray();
        if (forwarding.Length == 0 || forwarding.Any(route => route.AuthorizationPolicy is not null || route.Metadata is { Count: > 0 })) return null;
        var count = forwarding.Length;
        return new(Severity.Warning, Routes, configuration.SourceOf(Routes),
            $"seems to be written for YARP alone. Without an AuthorizationPolicy, {count} of {count} forwarded routes need a token: "
            + "write \"Anonymous\" on a route that is open to everyone. No route forwards Authorization and Cookie: if a service reads them, write "
            + "\"Metadata\": { \"ForwardAuthorization\": \"true\", \"ForwardCookies\": \"true\" } on its route. See docs/from-yarp.md.");
    }
}
