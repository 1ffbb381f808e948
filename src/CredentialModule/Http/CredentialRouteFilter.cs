using CredentialModule.Profiles;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace CredentialModule.Http;

/// <summary>Refuses a route table with a module route that could not be answered as it is written.</summary>
internal sealed class CredentialRouteFilter(ICurrentProfiles profiles) : IProxyConfigFilter
{
    public ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (ModuleRoute.ModuleOf(route) is not { } module) return new(route);
        if (module != ModuleRoute.Name) throw Refused(route, $"Metadata:Module is {module}; the one module is {ModuleRoute.Name}.");
        if (route.ClusterId is not null) throw Refused(route, "has a Module and a ClusterId; a route has one of them.");
        if (OtherParameters(route.Match.Path) is { } others)
            throw Refused(route, $"Match:Path names no {{{RouteOrganization.Parameter}}}: write the organization's part of the path as {{{RouteOrganization.Parameter}}}{others}.");
        var profile = ModuleRoute.ProfileOf(route);
        return profiles.Current.Has(profile) ? new(route) : throw Refused(route, $"Metadata:Profile is {profile}; IotCredentials:Profiles has none of that name.");
    }

    // Null when the path names the organization, or cannot be read, which YARP reports itself.
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

/// <summary>A route that this module answers, as its metadata say.</summary>
internal static class ModuleRoute
{
    public const string Name = "IotCredentials";

    // MapReverseProxy returns a builder without services: no more than this can be known of a host where AddIotCredentials was forgotten.
    private static volatile bool s_isAdded;

    /// <summary>Whether any host of this process has added the module.</summary>
    public static bool IsAdded
    {
        get => s_isAdded;
        set => s_isAdded = value;
    }

    public static string? ModuleOf(RouteConfig route) => route.Metadata?.GetValueOrDefault("Module");

    public static string ProfileOf(RouteConfig route) => route.Metadata?.GetValueOrDefault("Profile") ?? "default";
}
