using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.OrganizationDirectory;
using IotCredentials.Vending;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace IotCredentials.Operations;

/// <summary>Registers the public classes for operators. Their constructors take internal services, so the container cannot call them itself.</summary>
internal static class OperationsExtensions
{
    public static void AddOperations(this IServiceCollection services)
    {
        services.AddSingleton(static provider => new CredentialInvalidation(
            provider.GetRequiredService<CacheInvalidation>(), provider.GetRequiredService<AuditTrail>()));
        services.AddSingleton(static provider => new AssumeRoleExplainer(
            provider.GetRequiredService<AwsClients>(), provider.GetRequiredService<CredentialCache>(),
            provider.GetRequiredService<IOptions<IotCredentialsOptions>>(), provider.GetRequiredService<IOptions<AwsClientOptions>>(),
            provider.GetRequiredService<IHostEnvironment>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new AwsDiagnostics(
            provider.GetRequiredService<AwsClients>(), provider.GetRequiredService<OwnCredentials>(), provider.GetRequiredService<StsCircuitBreaker>(),
            provider.GetRequiredService<DescribeEndpointClient>(), provider.GetRequiredService<DirectoryClient>(),
            provider.GetRequiredService<IOptions<AwsClientOptions>>(), provider.GetRequiredService<IHostEnvironment>(),
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(static provider => new DirectoryDiagnostics(
            provider.GetRequiredService<DirectoryClient>(), provider.GetRequiredService<OrganizationLocator>()));
    }
}
