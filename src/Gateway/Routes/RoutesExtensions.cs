using CredentialModule.Profiles;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

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
        proxy.AddServiceDiscoveryDestinationResolver();
        var resolver = proxy.Services.Last(service => service.ServiceType == typeof(IDestinationResolver)).ImplementationType!;
        proxy.Services.AddConfigurationServiceEndpointProvider();
        proxy.Services.AddSingleton<IDestinationResolver>(services => new NamedServices(
            (IDestinationResolver)ActivatorUtilities.CreateInstance(services, resolver), services.GetRequiredService<GatedConfigurationProvider>()));
        return proxy;
    }
}
