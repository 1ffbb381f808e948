using IotCredentials.Policies;

namespace IotCredentials.Profiles;

/// <summary>
/// The validated, effective profile of one organization: a profile with the organization's overrides. Compared by reference, so that values derived from one
/// are never reused for an equal other.
/// </summary>
internal sealed class Profile
{
    public required RoleArnTemplate Role { get; init; }
    public required string Region { get; init; }
    public required string? IotEndpoint { get; init; }
    public required string? EndpointRoleArn { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required TimeSpan MinimumLifetime { get; init; }
    public required TimeSpan RefreshAfter { get; init; }
    public required SessionPolicyTemplate SessionPolicy { get; init; }
    public required IReadOnlyList<KeyValuePair<string, TemplateText>> SessionTags { get; init; }
    public required TemplateText? ExternalId { get; init; }

    /// <summary>The external id for the endpoint's role; null if ExternalId names the organization, because the endpoint is an account's.</summary>
    public string? EndpointExternalId => ExternalId is { NamesOrganization: false } ? ExternalId.Source : null;
    public required SessionScope Scope { get; init; }

    /// <summary>The longest minimum lifetime that a caller can request: the remaining lifetime of credentials that are due for renewal.</summary>
    public TimeSpan LongestMinimumLifetime => SessionDuration - RefreshAfter;

    public TemplateValues ValuesFor(OrganizationId organization) => new(organization, Role.AccountId, Region, Role.Partition);
}
