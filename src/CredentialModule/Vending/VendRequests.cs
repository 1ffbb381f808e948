using CredentialModule.Aws;
using CredentialModule.Profiles;
using Microsoft.Extensions.Hosting;

namespace CredentialModule.Vending;

/// <summary>Makes the request to STS of a profile, an organization and, where sessions are a caller's own, the caller.</summary>
internal sealed class VendRequests(
    AwsClients clients, ForgottenOrganizations forgotten, IHostEnvironment host, TimeProvider time)
{
    // STS AssumeRole, DurationSeconds: at least 900. So much may a session outlive the token that it was vended for.
    private static readonly TimeSpan ShortestSession = TimeSpan.FromMinutes(15);

    /// <summary>The request; null when sessions are a caller's own and the caller has no name, or no end to its token.</summary>
    /// <exception cref="VendingException">Who the gateway is to AWS cannot be found out.</exception>
    public async ValueTask<VendRequest?> ForAsync(Profile profile, OrganizationId organization, VendCaller caller) =>
        NameOf(profile, organization, caller) is null ? null : Make(
            profile, organization, caller, host.EnvironmentName, forgotten.MarkOf(organization.Value),
            await clients.IdentityAsync(profile.Region), clients.StsAddress(profile.Region), time.GetUtcNow());

    /// <summary>The request of a gateway that is <paramref name="identity"/> to AWS.</summary>
    public static VendRequest? Make(
        Profile profile, OrganizationId organization, VendCaller caller, string environment, string? forgotten, string identity, string stsAddress, DateTimeOffset now)
    {
        if (NameOf(profile, organization, caller) is not { } name) return null;
        var values = profile.ValuesFor(organization);
        return new VendRequest
        {
            Environment = environment,
            OrganizationId = organization.Value,
            Forgotten = forgotten,
            RoleArn = profile.Role.Arn.Render(values),
            Region = profile.Region,
            SessionPolicy = profile.SessionPolicy.Render(values),
            SessionTags = [.. profile.SessionTags.Select(tag => KeyValuePair.Create(tag.Key, tag.Value.Render(values)))],
            ExternalId = profile.ExternalId?.Render(values),
            SessionDuration = DurationOf(profile, caller, now),
            SessionName = name,
            SourceIdentity = profile.Scope == SessionScope.User ? name : null,
            GatewayIdentity = identity,
            StsAddress = stsAddress,
        };
    }

    private static string? NameOf(Profile profile, OrganizationId organization, VendCaller caller) =>
        profile.Scope == SessionScope.Organization ? SessionName.For(organization)
        : caller is { Issuer: { } issuer, Subject: { } subject, TokenExpires: not null } ? SessionName.For(issuer, subject)
        : null;

    // In whole quarters of an hour, so that a caller's requests share a session while its token ages. Whatever is cached under one duration
    // was vended when as many quarters were left as now: it outlives this token by no more than the last, begun quarter.
    private static TimeSpan DurationOf(Profile profile, VendCaller caller, DateTimeOffset now)
    {
        if (profile.Scope == SessionScope.Organization) return profile.SessionDuration;
        var quarters = Math.Max(1, Math.Ceiling((caller.TokenExpires!.Value - now) / ShortestSession));
        return quarters * ShortestSession < profile.SessionDuration ? quarters * ShortestSession : profile.SessionDuration;
    }
}
