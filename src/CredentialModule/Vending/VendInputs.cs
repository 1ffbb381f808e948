using CredentialModule.Profiles;

namespace CredentialModule.Vending;

/// <summary>What a request to STS is made of, before anything of it is rendered. Equal inputs make one request.</summary>
internal sealed record VendInputs
{
    public required Profile Profile { get; init; }
    public required OrganizationId Organization { get; init; }

    /// <summary>The caller, where sessions are a caller's own; null where they are the organization's.</summary>
    public required string? Issuer { get; init; }

    public required string? Subject { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required string Environment { get; init; }

    /// <summary>The mark under which the organization's credentials were last forgotten.</summary>
    public required string? Forgotten { get; init; }

    public required string GatewayIdentity { get; init; }
    public required string StsAddress { get; init; }

    public string RoleArn => Profile.Role.Arn.Render(Profile.ValuesFor(Organization));

    public VendRequest Request()
    {
        var values = Profile.ValuesFor(Organization);
        var source = Subject is null ? null : SessionName.For(Issuer!, Subject);
        return new VendRequest
        {
            Environment = Environment,
            OrganizationId = Organization.Value,
            Forgotten = Forgotten,
            RoleArn = RoleArn,
            Region = Profile.Region,
            SessionPolicy = Profile.SessionPolicy.Render(values),
            SessionTags = [.. Profile.SessionTags.Select(tag => KeyValuePair.Create(tag.Key, tag.Value.Render(values)))],
            ExternalId = Profile.ExternalId?.Render(values),
            SessionDuration = SessionDuration,
            SessionName = source ?? SessionName.For(Organization),
            SourceIdentity = source,
            GatewayIdentity = GatewayIdentity,
            StsAddress = StsAddress,
        };
    }
}
