using Amazon.Runtime;

namespace IotCredentials;

/// <summary>
/// The addresses and the base credentials of the module's AWS calls, for a host that has a source of its own. The AWS SDK determines each value that is null:
/// by its credential chain, <c>AWS_ENDPOINT_URL_STS</c>, <c>AWS_ENDPOINT_URL_IOT</c>.
/// </summary>
public sealed class AwsClientOptions
{
    /// <summary>The identity that assumes the profiles' roles. Default: the SDK's own chain.</summary>
    public AWSCredentials? Credentials { get; set; }

    /// <summary>The address of STS. Default: the SDK's own for the profile's region.</summary>
    public Uri? StsUrl { get; set; }

    /// <summary>The address of AWS IoT's control plane. Default: the SDK's own for the profile's region.</summary>
    public Uri? IotUrl { get; set; }
}
