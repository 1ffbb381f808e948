using IotCredentials.Policies;

namespace IotCredentials.Profiles;

/// <summary>
/// A validated profile with an organization's overrides. If the directory decides where the organization lives, each place makes a <see cref="Profile"/> of it.
/// </summary>
internal sealed class ProfileTemplate
{
    public const string OpenRegion = "{region}";

    public required RoleArnTemplate Role { get; init; }

    /// <summary>The region that takes precedence over the directory's; null if there is none.</summary>
    public required string? Region { get; init; }

    /// <summary>The endpoint that takes precedence over the directory's; null if there is none.</summary>
    public required string? IotEndpoint { get; init; }

    /// <summary>The profile's own endpoint, which is used if the directory names none.</summary>
    public required string? FallbackEndpoint { get; init; }

    public required RoleArnTemplate? EndpointRole { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required TimeSpan MinimumLifetime { get; init; }
    public required TimeSpan RefreshAfter { get; init; }
    public required SessionPolicyTemplate SessionPolicy { get; init; }
    public required IReadOnlyList<KeyValuePair<string, TemplateText>> SessionTags { get; init; }
    public required TemplateText? ExternalId { get; init; }
    public required SessionScope Scope { get; init; }

    /// <summary>Whether the directory must confirm the account of <see cref="Role"/>: true unless the organization's own entry names it.</summary>
    public required bool IsAccountChecked { get; init; }

    /// <summary>The profile, if it does not depend on the directory; else null.</summary>
    public Profile? Located { get; private set; }

    /// <summary>The longest minimum lifetime that a caller can request: the remaining lifetime of credentials that are due for renewal.</summary>
    public TimeSpan LongestMinimumLifetime => SessionDuration - RefreshAfter;

    /// <summary>Makes the profile independent of the directory. Role and region are not open.</summary>
    public ProfileTemplate Fix()
    {
        Located = Make(Role.AccountId, Region!, AwsPartition.Of(Region!).Name, IotEndpoint ?? FallbackEndpoint);
        return this;
    }

    /// <summary>The profile at a place that the directory named; null, with the problem, if the place contradicts the profile.</summary>
    public Profile? At(OrganizationPlace place, out string? problem)
    {
        var (account, region) = (Role.HasOpenAccount ? place.AccountId : Role.AccountId, Region ?? place.Region);
        problem = null;
        if (IsAccountChecked && account != place.AccountId)
        {
            problem = $"names the account {place.AccountId}, and RoleArn is of {account}";
            return null;
        }

        // The response's endpoint is of its own account and region. If an organization's entry overrides one of them, it is another's.
        var named = account == place.AccountId && region == place.Region ? place.IotEndpoint : null;
        var profile = Make(account, region, AwsPartition.Of(region).Name, IotEndpoint ?? named ?? FallbackEndpoint);
        foreach (var (key, message) in AwsPlaces.Find(profile.Role, region, profile.IotEndpoint, profile.EndpointRoleArn, SessionPolicy))
        {
            problem = $"names a place that the profile does not fit: {key} {message}";
            return null;
        }

        return profile;
    }

    /// <summary>The placeholders that the directory fills, as far as they are not written.</summary>
    public IReadOnlyList<string> Open =>
    [
        .. (string[])(Role.HasOpenAccount ? [RoleArnTemplate.OpenAccount] : []),
        .. (string[])(Region is null ? [OpenRegion] : []),
        .. (string[])(Role.HasOpenPartition ? [RoleArnTemplate.OpenPartition] : []),
    ];

    /// <summary>The profile with placeholders for everything that the directory decides. It is shown, and never vended with.</summary>
    public Profile Shown() => Located
        ?? Make(Role.AccountId, Region ?? OpenRegion, RoleArnTemplate.OpenPartition, IotEndpoint ?? FallbackEndpoint);

    private Profile Make(string account, string region, string partition, string? endpoint)
    {
        var role = Role.In(partition, account);
        return new()
        {
            Role = role,
            Region = region,
            IotEndpoint = endpoint,
            EndpointRoleArn = EndpointRole is null ? null : Render(EndpointRole.In(partition, account), region),
            SessionDuration = SessionDuration,
            MinimumLifetime = MinimumLifetime,
            RefreshAfter = RefreshAfter,
            SessionPolicy = SessionPolicy,
            SessionTags = SessionTags,
            ExternalId = ExternalId,
            Scope = Scope,
        };
    }

    /// <summary>The ARN of an endpoint's role, which names no organization.</summary>
    public static string Render(RoleArnTemplate role, string region) =>
        role.Arn.Render(new TemplateValues(new OrganizationId(""), role.AccountId, region, role.Partition));
}
