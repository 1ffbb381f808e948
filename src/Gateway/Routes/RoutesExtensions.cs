using CredentialModule.Profiles;
using Gateway.Configuration;
using Gateway.Cors;
using Gateway.Forwarding;
using Gateway.RateLimiting;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Routes;

/// <summary>Makes what is published the one source of routes, policies and profiles: for the gateway that serves, and for the dry run of a configuration.</summary>
internal static class RoutesExtensions
{
    /// <summary>Adds all that endpoints of routes are made of.</summary>
    public static void AddRoutes(this IServiceCollection services, IConfiguration configuration) =>
        services.AddReverseProxy()
            .LoadFromPublished()
            // Before forwarding, whose last transform may send the response headers.
            .AddRouteCors()
            .AddForwarding()
            .AddIotCredentials(configuration.GetSection("IotCredentials"));

    /// <summary>Maps the routes that are published, now and from now on, as far as a router can be built from them.</summary>
    public static void MapRoutes(this IEndpointRouteBuilder app) =>
        app.DataSources.Add(app.ServiceProvider.GetRequiredService<PublishedRoutes>().Prove(Endpoints(app.ServiceProvider)));

    /// <summary>The endpoints of the routes that are published, as YARP and the conventions make them.</summary>
    public static EndpointDataSource Endpoints(IServiceProvider services)
    {
        var app = new UnprovenRoutes(services);
        app.MapReverseProxy(pipeline => pipeline.UseForwarding())
            .MapIotCredentials()
            .MapRouteControls(services.GetRequiredService<PublishedRoutes>())
            .RequireRateLimiting(RateLimits.Policy);
        return app.DataSources.Single();
    }

    private static IReverseProxyBuilder LoadFromPublished(this IReverseProxyBuilder proxy)
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

    private sealed class UnprovenRoutes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
