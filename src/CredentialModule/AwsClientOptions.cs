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

    /// <summary>The source of <see cref="Credentials"/> in words, which diagnostics show to operators. Default: "the host's source".</summary>
    public string CredentialsName { get; set; } = "the host's source";

    /// <summary>
    /// The ARN of the role whose sessions <see cref="Credentials"/> are, so that the host's identity is known without a call. Default: not known.
    /// </summary>
    public string? CredentialsRoleArn { get; set; }

    /// <summary>
    /// Called when AWS rejects <see cref="Credentials"/>, which are then requested again: a source with a cache clears it. Default: nothing is called.
    /// </summary>
    public Action? CredentialsRejected { get; set; }

    /// <summary>The address of STS. Default: the SDK's own for the profile's region.</summary>
    public Uri? StsUrl { get; set; }

    /// <summary>The address of AWS IoT's control plane. Default: the SDK's own for the profile's region.</summary>
    public Uri? IotUrl { get; set; }
}
