namespace CredentialModule.Vending;

/// <summary>Credentials as they are kept: what STS granted, for whom, and when it was asked. A class, so that no ToString spells out its members.</summary>
internal sealed class StoredCredentials
{
    public required string OrganizationId { get; init; }

    /// <summary>Taken before STS was asked: credentials are never younger than this says.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    public required DateTimeOffset Expiration { get; init; }
    public required string AccessKeyId { get; init; }
    public required string SecretAccessKey { get; init; }
    public required string SessionToken { get; init; }
}

/// <summary>An AWS IoT data endpoint as it is kept.</summary>
internal sealed class StoredEndpoint
{
    public required string Region { get; init; }
    public required DateTimeOffset AskedAt { get; init; }
    public required string Address { get; init; }
}
