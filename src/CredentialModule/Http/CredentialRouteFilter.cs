using CredentialModule.Profiles;
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
        var profile = ModuleRoute.ProfileOf(route);
        return profiles.Current.Has(profile) ? new(route) : throw Refused(route, $"Metadata:Profile is {profile}; IotCredentials:Profiles has none of that name.");
    }

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster);

    private static InvalidOperationException Refused(RouteConfig route, string why) => new($"ReverseProxy:Routes:{route.RouteId} {why}");
}

/// <summary>A route that this module answers, as its metadata say.</summary>
internal static class ModuleRoute
{
    public const string Name = "IotCredentials";

    public static string? ModuleOf(RouteConfig route) => route.Metadata?.GetValueOrDefault("Module");

    public static string ProfileOf(RouteConfig route) => route.Metadata?.GetValueOrDefault("Profile") ?? "default";
}
