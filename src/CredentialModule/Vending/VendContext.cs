using IotCredentials.Aws;
using IotCredentials.Profiles;

namespace IotCredentials.Vending;

/// <summary>The inputs of an AssumeRole call, before they are rendered. Equal inputs lead to the same call.</summary>
internal sealed record VendContext
{
    public required Profile Profile { get; init; }
    public required OrganizationId Organization { get; init; }

    /// <summary>The caller's issuer if sessions are per caller; null if they are the organization's.</summary>
    public required string? Issuer { get; init; }

    public required string? Subject { get; init; }
    public required TimeSpan SessionDuration { get; init; }
    public required string Environment { get; init; }

    /// <summary>The organization's generation, set by its last invalidation.</summary>
    public required string? Generation { get; init; }

    public required string GatewayIdentity { get; init; }
    public required string StsAddress { get; init; }

    public string RoleArn => Profile.Role.Arn.Render(Profile.ValuesFor(Organization));

    public AssumeRoleParameters ToAssumeRoleParameters()
    {
        var values = Profile.ValuesFor(Organization);
        var source = Subject is null ? null : SessionName.For(Issuer!, Subject);
        return new AssumeRoleParameters
        {
            Environment = Environment,
            OrganizationId = Organization.Value,
            Generation = Generation,
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
