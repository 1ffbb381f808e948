using System.Diagnostics.CodeAnalysis;
using IotCredentials;
using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Http;
using IotCredentials.Operations;
using IotCredentials.OrganizationDirectory;
using IotCredentials.Profiles;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using IotCredentials.Vending;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.HttpLogging;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the module to a YARP host.</summary>
public static class IotCredentialsReverseProxyBuilderExtensions
{
    private const string NotTrimmed = "The section IotCredentials is read by reflection: publish the host without PublishTrimmed and PublishAot.";

    /// <summary>
    /// Adds the services that vending needs, configured by a section and by <c>services.Configure&lt;IotCredentialsOptions&gt;(…)</c>. A route with the
    /// metadata <c>"Module": "IotCredentials"</c> is then served in process, if
    /// <see cref="IotCredentialsEndpointConventionBuilderExtensions.MapIotCredentials"/> is called.
    /// <para>
    /// The host registers an authorization handler for <see cref="OrganizationAccessRequirement"/>; without one it does not start. Replicas share vended
    /// credentials through the Redis of <see cref="SharedCacheOptions"/>.
    /// </para>
    /// </summary>
    /// <param name="proxy">The host's reverse proxy.</param>
    /// <param name="section">The section, by the name <c>IotCredentials</c> or another; see <see cref="IotCredentialsOptions"/>. Null if the options are set by code alone.</param>
    /// <exception cref="InvalidOperationException">The method was called before.</exception>
    [RequiresUnreferencedCode(NotTrimmed)]
    [RequiresDynamicCode(NotTrimmed)]
    public static IReverseProxyBuilder AddIotCredentials(this IReverseProxyBuilder proxy, IConfiguration? section = null)
    {
        var services = proxy.Services;
        if (services.Any(service => service.ServiceType == typeof(CredentialEndpoint)))
            throw new StartupException("AddIotCredentials was called twice: call it once, on the builder that AddReverseProxy returned.");
        ModuleRoute.IsAdded = true;
        services.AddSingleton(new SectionName(section));
        services.AddOptions<IotCredentialsOptions>();
        if (section is not null)
        {
            services.AddSingleton<IConfigureOptions<IotCredentialsOptions>>(new SectionConfiguration(section));
            services.AddSingleton<IOptionsChangeTokenSource<IotCredentialsOptions>>(new ConfigurationChangeTokenSource<IotCredentialsOptions>(section));
        }

        services.AddOptions<SharedCacheOptions>();
        // First, so that it yields to what the host configures, before this call or after it: also to null.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<SharedCacheOptions>>(static provider =>
            new ConfigureNamedOptions<SharedCacheOptions, IConfiguration>(
                Options.Options.DefaultName, provider.GetRequiredService<IConfiguration>(), static (shared, configuration) =>
                {
                    shared.Redis = configuration.GetConnectionString("Redis");
                    shared.SealingKeyPath = configuration["Sealing:KeyPath"];
                })));
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<CredentialMetrics>();
        services.AddSingleton<AuditTrail>();
        services.TryAddSingleton<IProfileProvider, OptionsProfileProvider>();
        services.AddSingleton(static provider => new SharedRedis(
            provider.GetRequiredService<IOptions<SharedCacheOptions>>().Value.Redis is not { } connectionString ? null
            // StackExchange.Redis logs a connection string that it cannot read.
            : RedisConnectionString.ProblemOf(connectionString) is { } problem ? throw new StartupException($"ConnectionStrings:Redis {problem}")
            : new RedisConnection(
                connectionString, provider.GetRequiredService<IOptions<IotCredentialsOptions>>(), provider.GetRequiredService<CredentialMetrics>(),
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<RedisConnection>>())));
        services.AddSingleton<CredentialCache>();
        services.AddSingleton<SingleFlight>();
        services.AddSingleton<NegativeCache>();
        services.AddSingleton<Fetcher>();
        services.AddSingleton<AwsClients>();
        services.AddSingleton<CredentialSource>();
        services.AddSingleton<OwnCredentials>();
        services.AddSingleton<GatewayIdentity>();
        services.AddSingleton<StsRateLimiter>();
        services.AddSingleton<StsCircuitBreaker>();
        services.AddSingleton<AssumeRoleClient>();
        services.AddSingleton<DescribeEndpointClient>();
        services.AddSingleton<CacheInvalidation>();
        services.AddHostedService(provider => provider.GetRequiredService<CacheInvalidation>());
        services.AddSingleton<CacheKeyCache>();
        services.AddSingleton<VendContextFactory>();
        services.AddSingleton<CredentialVendor>();
        services.AddSingleton<IotDataEndpointResolver>();
        services.AddSingleton<DirectoryClient>();
        services.AddSingleton<OrganizationLocator>();
        services.AddSingleton<CredentialEndpoint>();
        services.AddOperations();
        services.AddSingleton(new RouteModule(ModuleRoute.Name));
        services.AddSingleton<CredentialRouteFilter>();
        services.AddSingleton<IProxyConfigFilter>(static provider => provider.GetRequiredService<CredentialRouteFilter>());
        services.AddHostedService(provider => new HostValidation(provider, services));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHttpLoggingInterceptor, UnloggedResponses>());
        services.AddSingleton<IStartupFilter, PipelineValidation>();
        services.AddAuthorization();
        // A host's own stays, also one that is registered later.
        if (services.Last(static service => service.ServiceType == typeof(IAuthorizationMiddlewareResultHandler)) is
            { IsKeyedService: false, ImplementationType: { } handler } && handler == typeof(AuthorizationMiddlewareResultHandler))
            services.AddSingleton<IAuthorizationMiddlewareResultHandler, CredentialAuthorizationResultHandler>();
        return proxy;
    }
}
