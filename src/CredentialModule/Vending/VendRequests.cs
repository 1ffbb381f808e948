using System.Security.Claims;
using CredentialModule.Aws;
using CredentialModule.Profiles;
using Microsoft.Extensions.Hosting;

namespace CredentialModule.Vending;

/// <summary>Says what the request to STS of a profile, an organization and, where sessions are a caller's own, the caller is made of.</summary>
internal sealed class VendRequests(AwsClients clients, GatewayIdentity identity, ForgottenOrganizations forgotten, IHostEnvironment host, TimeProvider time)
{
    // STS AssumeRole, DurationSeconds: at least 900. So much may a session outlive the token that it was vended for.
    private static readonly TimeSpan ShortestSession = TimeSpan.FromMinutes(15);

    /// <summary>What the request is made of; null when sessions are a caller's own and the caller has no name, or no end to its token.</summary>
    /// <exception cref="VendingException">Who the gateway is to AWS cannot be found out.</exception>
    public async ValueTask<VendInputs?> ForAsync(Profile profile, OrganizationId organization, ClaimsPrincipal user)
    {
        var owner = profile.Scope == SessionScope.User ? VendCaller.Of(user) : null;
        return !MayOwn(owner) ? null : InputsOf(
            profile, organization, owner, host.EnvironmentName, forgotten.MarkOf(organization.Value),
            await identity.FindAsync(profile.Region), clients.StsAddress(profile.Region), time.GetUtcNow());
    }

    /// <summary>The request of a gateway that is <paramref name="identity"/> to AWS.</summary>
    public static VendRequest? Make(
        Profile profile, OrganizationId organization, VendCaller caller, string environment, string? forgotten, string identity, string stsAddress, DateTimeOffset now)
    {
        var owner = profile.Scope == SessionScope.User ? caller : null;
        return MayOwn(owner) ? InputsOf(profile, organization, owner, environment, forgotten, identity, stsAddress, now).Request() : null;
    }

    // The owner is the caller whose own the session is; nobody, where it is the organization's.
    private static bool MayOwn(VendCaller? owner) => owner is null or { Issuer: not null, Subject: not null, TokenExpires: not null };

    private static VendInputs InputsOf(
        Profile profile, OrganizationId organization, VendCaller? owner, string environment, string? forgotten, string identity, string stsAddress, DateTimeOffset now) => new()
        {
            Profile = profile,
            Organization = organization,
            Issuer = owner?.Issuer,
            Subject = owner?.Subject,
            SessionDuration = owner is null ? profile.SessionDuration : DurationOf(profile, owner.TokenExpires!.Value - now),
            Environment = environment,
            Forgotten = forgotten,
            GatewayIdentity = identity,
            StsAddress = stsAddress,
        };

    // In whole quarters of an hour, so that a caller's requests share a session while its token ages. Whatever is cached under one duration
    // was vended when as many quarters were left as now: it outlives this token by no more than the last, begun quarter.
    private static TimeSpan DurationOf(Profile profile, TimeSpan tokenLife)
    {
        var quarters = Math.Max(1, Math.Ceiling(tokenLife / ShortestSession));
        return quarters * ShortestSession < profile.SessionDuration ? quarters * ShortestSession : profile.SessionDuration;
    }
}
