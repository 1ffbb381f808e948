using CredentialModule.Policies;

namespace CredentialModule.Profiles;

/// <summary>
/// How credentials are vended to one organization: a profile, overlaid by what is said of the organization, read and found good. A class: what was
/// worked out for one is never taken for another, however alike they are.
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

    /// <summary>What the endpoint's role is assumed with. An id that names the organization is none of an account's.</summary>
    public string? EndpointExternalId => ExternalId is { NamesOrganization: false } ? ExternalId.Source : null;
    public required SessionScope Scope { get; init; }

    /// <summary>The longest life that a caller can ask for: what credentials that are about to be renewed still have.</summary>
    public TimeSpan LongestFloor => SessionDuration - RefreshAfter;

    public TemplateValues ValuesFor(OrganizationId organization) => new(organization, Role.AccountId, Region, Role.Partition);
}
