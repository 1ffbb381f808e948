using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Internal.Endpoints.StandardLibrary;
using Amazon.SecurityToken;
using Gateway.Configuration;

namespace Gateway.AwsIdentity;

/// <summary>Gives the module the AWS identity that <c>IotCredentials:AwsIdentity</c> selects.</summary>
internal static class AwsIdentityExtensions
{
    /// <summary>Sets the module's credentials, unless the AWS SDK's chain is selected.</summary>
    public static void AddAwsIdentity(this WebApplicationBuilder builder, GatewayOptions options)
    {
        if (options.IotCredentials.AwsIdentity is not { Source: AwsIdentitySource.Azure, RoleArn: { } roleArn, Audience: { } audience } identity) return;
        var region = RegionOf(roleArn.Split(':')[1], options.IotCredentials);
        builder.Services.AddOptions<AwsClientOptions>().Configure<TimeProvider, ILogger<AzureWebIdentity>>((aws, time, logger) =>
        {
            var azure = AzureToken.OfProcess(identity.ClientId);
            aws.CredentialsName = azure.Name;
            aws.CredentialsRoleArn = roleArn;
            var session = new AzureWebIdentity(
                azure, audience, roleArn,
                new AmazonSecurityTokenServiceConfig
                {
                    RegionEndpoint = RegionEndpoint.GetBySystemName(region),
                    RetryMode = RequestRetryMode.Standard,
                    MaxErrorRetry = 2,
                    Timeout = options.IotCredentials.Timeout,
                },
                // A caller has to learn the cause before its own time is up.
                options.IotCredentials.Timeout * 0.7, time, logger);
            aws.Credentials = session;
            aws.CredentialsRejected = session.Clear;
        });
    }

    // The process's region, else a profile's, where the gateway vends anyway: not every region is enabled for every account.
    private static string RegionOf(string partition, IotCredentialsOptions module) =>
        module.Profiles.OrderBy(static profile => profile.Key, StringComparer.Ordinal).Select(static profile => profile.Value.Region)
            .Prepend(Environment.GetEnvironmentVariable("AWS_REGION"))
            .FirstOrDefault(region => region is { Length: > 0 } && Fn.Partition(region).name == partition)
        ?? RegionEndpoint.EnumerableAllRegions.Select(static region => Fn.Partition(region.SystemName))
            .First(known => known.name == partition).implicitGlobalRegion;
}
