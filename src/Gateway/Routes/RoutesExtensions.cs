using Gateway.Configuration;
using Gateway.Cors;
using Gateway.Forwarding;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Routes;

/// <summary>
/// Makes the current snapshot the only source of routes, policies and profiles, both for the running gateway and for the dry run of a configuration.
/// </summary>
internal static class RoutesExtensions
{
    /// <summary>Adds the services that route endpoints are built from.</summary>
    public static void AddRoutes(this IServiceCollection services, IConfiguration configuration) =>
        services.AddReverseProxy()
            .LoadFromSnapshot()
            // CORS must come before forwarding, whose last transform may send the response headers.
            .AddRouteCors()
            .AddForwarding()
            .AddIotCredentials(ModuleSection(configuration));

    /// <summary>Maps the current snapshot's routes and follows later changes. Only endpoints that a router can be built from are served.</summary>
    public static void MapRoutes(this IEndpointRouteBuilder app) =>
        app.DataSources.Add(app.ServiceProvider.GetRequiredService<SnapshotRoutes>().Prove(Endpoints(app.ServiceProvider)));

    /// <summary>Returns the endpoints of the current snapshot's routes, as YARP and the conventions build them.</summary>
    public static EndpointDataSource Endpoints(IServiceProvider services)
    {
        var app = new UnprovenRoutes(services);
        app.MapReverseProxy(pipeline => pipeline.UseForwarding())
            .MapIotCredentials()
            .MapRouteControls(services.GetRequiredService<SnapshotRoutes>());
        return app.DataSources.Single();
    }

    // AwsIdentity is the gateway's own key, and the module refuses keys that it does not know. Its live keys come from SnapshotProfiles.
    private static IConfigurationRoot ModuleSection(IConfiguration configuration) => new ConfigurationBuilder()
        .AddInMemoryCollection(configuration.GetSection(nameof(GatewayOptions.IotCredentials)).AsEnumerable(makePathsRelative: true)
            .Where(static value => value.Key.Split(':')[0] != nameof(IotCredentialsSection.AwsIdentity)))
        .Build();

    private static IReverseProxyBuilder LoadFromSnapshot(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddSingleton<SnapshotRoutes>();
        proxy.Services.AddSingleton<IProxyConfigProvider>(services => services.GetRequiredService<SnapshotRoutes>());
        proxy.Services.AddSingleton<IConfigChangeListener>(services => services.GetRequiredService<SnapshotRoutes>());
        proxy.Services.AddSingleton<IAuthorizationPolicyProvider, SnapshotPolicies>();
        proxy.Services.AddSingleton<IProfileProvider, SnapshotProfiles>();
        proxy.Services.AddSingleton<IDestinationResolver, NamedServices>();
        return proxy;
    }

    private sealed class UnprovenRoutes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
