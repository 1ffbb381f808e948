using IotCredentials.Profiles;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Http;

/// <summary>Rejects a route table with a module route that cannot be served as it is configured.</summary>
internal sealed class CredentialRouteFilter(IProfileProvider profiles, IEnumerable<RouteModule> modules) : IProxyConfigFilter
{
    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (ModuleRoute.ModuleOf(route) is not { } module) return new(route);
        if (!modules.Any(known => known.Name == module))
        {
            throw Refused(
                route, $"Metadata:Module is {module}; the modules of this host are {string.Join(", ", modules.Select(static known => known.Name).Order())}.");
        }

        if (route.ClusterId is not null) throw Refused(route, "has a Module and a ClusterId; a route has one of them.");
        if (!ModuleRoute.IsCredentials(route)) return new(route);
        if (OtherParameters(route.Match.Path) is { } others)
            throw Refused(
                route,
                $"Match:Path names no {{{RouteOrganization.Parameter}}}: "
                + $"write the organization's part of the path as {{{RouteOrganization.Parameter}}}{others}.");
        var profile = ModuleRoute.ProfileOf(route);
        return profiles.Current.Has(profile)
            ? new(route)
            : throw Refused(route, $"Metadata:Profile is {profile}; IotCredentials:Profiles has none of that name.");
    }

    // The path's other parameters as advice. Null if the path names the organization, or is invalid, which YARP reports itself.
    private static string? OtherParameters(string? path)
    {
        try
        {
            var pattern = RoutePatternFactory.Parse(path ?? "");
            if (pattern.GetParameter(RouteOrganization.Parameter) is not null) return null;
            return pattern.Parameters.Count == 0 ? "" : $", not {string.Join(" or ", pattern.Parameters.Select(static parameter => $"{{{parameter.Name}}}"))}";
        }
        catch (RoutePatternException)
        {
            return null;
        }
    }

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster);

    private static InvalidOperationException Refused(RouteConfig route, string why) => new($"ReverseProxy:Routes:{route.RouteId} {why}");
}
