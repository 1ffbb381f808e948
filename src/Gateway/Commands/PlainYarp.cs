using Gateway.Configuration.Snapshots;

namespace Gateway.Commands;

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
            $"is written as for YARP alone. Here {count} of {count} forwarded routes need a token, since none names an AuthorizationPolicy: write \"Anonymous\" for one that is open to everybody. "
            + $"Authorization and Cookie of the request stop here on all {count}: write \"Metadata\": {{ \"ForwardAuthorization\": \"true\", \"ForwardCookies\": \"true\" }} where a service reads them. See docs/from-yarp.md.");
    }
}
