using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Endpoints;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>
/// Creates the SDK's clients of a region. A client is made for each call, with fixed credentials: the SDK would query a source twice per signature, and sign
/// with the key of one response and the token of the other if they are rotated in between.
/// </summary>
internal sealed class AwsClients(IOptions<AwsClientOptions> options, IOptions<IotCredentialsOptions> module)
{
    /// <summary>The most attempts at one call, the first included.</summary>
    internal const int Attempts = 3;

    private static readonly BoundedHttpClientFactory s_http = new();

    private readonly ConcurrentDictionary<string, AmazonSecurityTokenServiceConfig> _sts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, AmazonIoTConfig> _iot = new(StringComparer.Ordinal);

    public IAmazonSecurityTokenService Sts(string region, AWSCredentials credentials) => new AmazonSecurityTokenServiceClient(credentials, StsConfig(region));

    public IAmazonIoT IoT(string region, AWSCredentials credentials) => new AmazonIoTClient(credentials, IoTConfig(region));

    /// <summary>The configured address of STS; empty if AWS's own is used.</summary>
    public string StsAddress(string region) => GivenIn(StsConfig(region));

    /// <summary>The configured address of AWS IoT; empty if AWS's own is used.</summary>
    public string IoTAddress(string region) => GivenIn(IoTConfig(region));

    /// <summary>The URL of calls to STS; null if the settings yield no address.</summary>
    public Uri? StsUrl(string region) => UrlOf(StsConfig(region));

    /// <summary>The URL of calls to AWS IoT; null if the settings yield no address.</summary>
    public Uri? IoTUrl(string region) => UrlOf(IoTConfig(region));

    private AmazonSecurityTokenServiceConfig StsConfig(string region) => _sts.GetOrAdd(region, static (region, self) =>
        self.Bounded(new AmazonSecurityTokenServiceConfig { RegionEndpoint = RegionEndpoint.GetBySystemName(region) }, region, self.Options.StsUrl), this);

    private AmazonIoTConfig IoTConfig(string region) => _iot.GetOrAdd(region, static (region, self) =>
        self.Bounded(new AmazonIoTConfig { RegionEndpoint = RegionEndpoint.GetBySystemName(region) }, region, self.Options.IotUrl), this);

    private AwsClientOptions Options => options.Value;

    private T Bounded<T>(T config, string region, Uri? address) where T : ClientConfig
    {
        if (address is not null) config.ServiceURL = address.ToString();
        // With a custom address, set here or by a variable, the SDK would sign for AWS_REGION, or for the region that it reads out of the address.
        config.AuthenticationRegion = region;
        config.RetryMode = RequestRetryMode.Standard;
        config.MaxErrorRetry = Attempts - 1;
        config.Timeout = module.Value.Timeout;
        config.HttpClientFactory = s_http;
        return config;
    }

    private static string GivenIn(ClientConfig config)
    {
        try
        {
            return config.ServiceURL ?? "";
        }
        catch (AmazonClientException)
        {
            // A variable or a file holds a value that is no URL: each call fails because of it, and reports it.
            return "";
        }
    }

    private static Uri? UrlOf(ClientConfig config)
    {
        try
        {
            // The address is the same for every operation.
            return new Uri(config.DetermineServiceOperationEndpoint(new ServiceOperationEndpointParameters(new GetCallerIdentityRequest())).URL);
        }
        catch (AmazonClientException)
        {
            return null;
        }
    }
}
