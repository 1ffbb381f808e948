namespace Gateway.Configuration;

/// <summary>The section <c>IotCredentials</c>: the module's own keys, and the gateway's AWS identity.</summary>
internal sealed record IotCredentialsSection : IotCredentialsOptions
{
    /// <summary>The gateway's own AWS identity, which assumes the profiles' roles. Default: the AWS SDK's chain.</summary>
    public AwsIdentityOptions? AwsIdentity { get; init; }
}

/// <summary>The gateway's own AWS identity.</summary>
internal sealed record AwsIdentityOptions
{
    /// <summary>
    /// <c>Default</c>: the AWS SDK's chain. <c>Azure</c>: a workload identity if <c>AZURE_FEDERATED_TOKEN_FILE</c> is set, else a managed identity, gets a token
    /// of <see cref="Audience"/> that opens a session of <see cref="RoleArn"/>. Default: <c>Default</c>.
    /// </summary>
    public AwsIdentitySource Source { get; init; }

    /// <summary>The role whose trust policy lets the Azure identity in. Required with <c>Azure</c>.</summary>
    public string? RoleArn { get; init; }

    /// <summary>
    /// The Application ID URI or the id of the application that the token is for, such as <c>api://APPLICATION-ID</c>. Required with <c>Azure</c>.
    /// </summary>
    public string? Audience { get; init; }

    /// <summary>The client id of a user-assigned or workload identity. Default: <c>AZURE_CLIENT_ID</c>, else the system-assigned identity.</summary>
    public string? ClientId { get; init; }
}

/// <summary>The sources of the gateway's own AWS identity.</summary>
internal enum AwsIdentitySource
{
    /// <summary>The AWS SDK's chain.</summary>
    Default,

    /// <summary>A managed or workload identity of Azure.</summary>
    Azure,
}
