using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Credentials;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using CredentialModule.Telemetry;
using CredentialModule.Vending;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Aws;

/// <summary>The SDK's clients, one a region, and the identity that they call with.</summary>
internal sealed partial class AwsClients(
    IOptions<AwsClientOptions> options, IOptions<IotCredentialsOptions> module, SingleFlight flights, FailureMemory failures, ILogger<AwsClients> logger) : IDisposable
{
    private readonly ConcurrentDictionary<string, AmazonSecurityTokenServiceClient> _sts = new(StringComparer.Ordinal);
    private string? _identity;

    public IAmazonSecurityTokenService Sts(string region) => _sts.GetOrAdd(region, static (region, self) => self.CreateSts(region), this);

    public IAmazonIoT IoT(string region, AWSCredentials credentials)
    {
        var config = new AmazonIoTConfig { RegionEndpoint = RegionEndpoint.GetBySystemName(region) };
        return new AmazonIoTClient(credentials, Bounded(config, options.Value.IotUrl));
    }

    public string StsAddress(string region) => Sts(region).Config.ServiceURL ?? "";

    public string IoTAddress { get; } = options.Value.IotUrl?.ToString() ?? new AmazonIoTConfig().ServiceURL ?? "";

    public async Task<AWSCredentials> BaseCredentialsAsync(CancellationToken cancellation) =>
        options.Value.Credentials
        ?? (AWSCredentials)await new DefaultAWSCredentialsIdentityResolver().ResolveIdentityAsync(new AmazonSecurityTokenServiceConfig(), cancellation);

    /// <summary>
    /// Who the gateway is to AWS, the same in every replica: a long-lived key by its id, a role by its ARN without the session's name
    /// (which differs by replica). Asked once a process.
    /// </summary>
    public ValueTask<string> IdentityAsync(string region) => _identity is { } known ? new(known) : new(AskIdentityAsync(region));

    private Task<string> AskIdentityAsync(string region) => flights.JoinAsync("identity", () => failures.GuardAsync("identity", () => FindIdentityAsync(region)));

    private async Task<string> FindIdentityAsync(string region)
    {
        using var deadline = new CancellationTokenSource(module.Value.WorkTimeout);
        try
        {
            var keys = await (await BaseCredentialsAsync(deadline.Token)).GetCredentialsAsync().WaitAsync(deadline.Token);
            if (string.IsNullOrEmpty(keys.Token)) return _identity = keys.AccessKey;
            var arn = (await Sts(region).GetCallerIdentityAsync(new GetCallerIdentityRequest(), deadline.Token)).Arn;
            return _identity = arn.Contains(":assumed-role/", StringComparison.Ordinal) ? arn[..arn.LastIndexOf('/')] : arn;
        }
        catch (Exception e)
        {
            var failure = AwsFailure.From(e, "sts:GetCallerIdentity");
            Log.IdentityUnknown(logger, failure.Failure, failure.Message);
            throw failure;
        }
    }

    private AmazonSecurityTokenServiceClient CreateSts(string region)
    {
        var config = Bounded(new AmazonSecurityTokenServiceConfig { RegionEndpoint = RegionEndpoint.GetBySystemName(region) }, options.Value.StsUrl);
        return options.Value.Credentials is { } credentials ? new(credentials, config) : new(config);
    }

    private T Bounded<T>(T config, Uri? address) where T : ClientConfig
    {
        if (address is not null)
        {
            // Naming an address forgets the region that requests are signed for.
            config.AuthenticationRegion = config.RegionEndpoint.SystemName;
            config.ServiceURL = address.ToString();
        }

        config.RetryMode = RequestRetryMode.Standard;
        config.MaxErrorRetry = 2;
        config.Timeout = module.Value.Timeout;
        return config;
    }

    public void Dispose()
    {
        foreach (var client in _sts.Values) client.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.IdentityUnknown, LogLevel.Error,
            "Who the gateway is to AWS could not be found out ({Failure}): {Cause}. Nothing is vended until it is: check the credentials that the AWS SDK finds")]
        public static partial void IdentityUnknown(ILogger logger, FailureClass failure, string cause);
    }
}
