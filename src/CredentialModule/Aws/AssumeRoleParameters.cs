namespace IotCredentials.Aws;

/// <summary>Everything that determines an AssumeRole call, and therefore the cache key.</summary>
internal sealed record AssumeRoleParameters
{
    public required string Environment { get; init; }
    public required string OrganizationId { get; init; }

    /// <summary>The organization's generation, set by its last invalidation.</summary>
    public required string? Generation { get; init; }

    public required string RoleArn { get; init; }
    public required string Region { get; init; }
    public required string SessionPolicy { get; init; }
    public required IReadOnlyList<KeyValuePair<string, string>> SessionTags { get; init; }
    public required string? ExternalId { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required string SessionName { get; init; }
    public required string? SourceIdentity { get; init; }
    public required string GatewayIdentity { get; init; }
    public required string StsAddress { get; init; }
}
