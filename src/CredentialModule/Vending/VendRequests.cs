using CredentialModule.Aws;
using CredentialModule.Profiles;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>Makes the request to STS of a profile and an organization.</summary>
internal sealed class VendRequests(AwsClients clients, IHostEnvironment host, IOptions<IotCredentialsOptions> options, TimeProvider time)
{
    /// <exception cref="VendingException">Who the gateway is to AWS cannot be found out.</exception>
    public async ValueTask<VendRequest> ForAsync(Profile profile, OrganizationId organization, CancellationToken cancellation)
    {
        var identity = clients.IdentityAsync(profile.Region);
        return new VendRequest
        {
            Environment = host.EnvironmentName,
            OrganizationId = organization.Value,
            RoleArn = profile.Role.Arn.Render(profile.ValuesFor(organization)),
            Region = profile.Region,
            SessionPolicy = profile.SessionPolicy.Render(profile.ValuesFor(organization)),
            SessionTags = [.. profile.SessionTags.Select(tag => KeyValuePair.Create(tag.Key, tag.Value.Render(profile.ValuesFor(organization))))],
            ExternalId = profile.ExternalId?.Render(profile.ValuesFor(organization)),
            SessionDuration = profile.SessionDuration,
            SessionName = SessionName.For(organization),
            SourceIdentity = null,
            GatewayIdentity = identity.IsCompletedSuccessfully ? identity.Result : await identity.AsTask().WaitAsync(options.Value.Timeout, time, cancellation),
            StsAddress = clients.StsAddress(profile.Region),
        };
    }
}
