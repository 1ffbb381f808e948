using CredentialModule.Profiles;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>Makes what is published the one source of routes, policies and profiles.</summary>
internal static class RoutesExtensions
{
    public static IReverseProxyBuilder LoadFromPublished(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddSingleton<PublishedRoutes>();
        proxy.Services.AddSingleton<IProxyConfigProvider>(services => services.GetRequiredService<PublishedRoutes>());
        proxy.Services.AddSingleton<IConfigChangeListener>(services => services.GetRequiredService<PublishedRoutes>());
        proxy.Services.AddSingleton<IAuthorizationPolicyProvider, PublishedPolicies>();
        proxy.Services.AddSingleton<ICurrentProfiles, PublishedProfiles>();
        return proxy;
    }
}
