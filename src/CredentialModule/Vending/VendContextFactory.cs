using System.Security.Claims;
using IotCredentials.Aws;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using Microsoft.Extensions.Hosting;

namespace IotCredentials.Vending;

/// <summary>Creates the vend context for a profile, an organization and, if sessions are per caller, the caller.</summary>
internal sealed class VendContextFactory(AwsClients clients, GatewayIdentity identity, CacheInvalidation invalidation, IHostEnvironment host, TimeProvider time)
{
    /// <summary>Creates the context; null if sessions are per caller and the caller has no issuer, no subject or no token expiration.</summary>
    /// <exception cref="VendingException">The gateway's identity at AWS cannot be determined.</exception>
    public async ValueTask<VendContext?> CreateAsync(Profile profile, OrganizationId organization, ClaimsPrincipal user)
    {
        var owner = profile.Scope == SessionScope.User ? CallerClaims.Of(user) : null;
        return !MayOwn(owner) ? null : CreateContext(
            profile, organization, owner, host.EnvironmentName, invalidation.GenerationOf(organization.Value),
            await identity.FindAsync(profile.Region), clients.StsAddress(profile.Region), time.GetUtcNow());
    }

    /// <summary>Creates the AssumeRole parameters for a gateway whose identity at AWS is <paramref name="identity"/>.</summary>
    public static AssumeRoleParameters? CreateParameters(
        Profile profile, OrganizationId organization, CallerClaims caller, string environment, string? generation, string identity, string stsAddress,
        DateTimeOffset now)
    {
        var owner = profile.Scope == SessionScope.User ? caller : null;
        return MayOwn(owner) ? CreateContext(profile, organization, owner, environment, generation, identity, stsAddress, now).ToAssumeRoleParameters() : null;
    }

    // The owner is the caller if sessions are per caller, else null. A caller can own a session only with an issuer, a subject and a token expiration.
    private static bool MayOwn(CallerClaims? owner) => owner is null or { Issuer: not null, Subject: not null, TokenExpires: not null };

    private static VendContext CreateContext(
        Profile profile, OrganizationId organization, CallerClaims? owner, string environment, string? generation, string identity, string stsAddress,
        DateTimeOffset now) => new()
        {
            Profile = profile,
            Organization = organization,
            Issuer = owner?.Issuer,
            Subject = owner?.Subject,
            SessionDuration = owner is null ? profile.SessionDuration : DurationOf(profile, owner.TokenExpires!.Value - now),
            Environment = environment,
            Generation = generation,
            GatewayIdentity = identity,
            StsAddress = stsAddress,
        };

    // In whole quarters of an hour, so that a caller's requests share a session while its token ages. An entry cached under one duration was vended when the
    // token had as many quarters remaining as now: it outlives this token by no more than the last, begun quarter.
    // No session can be shorter, so it may also outlive the token that it was vended for by that much.
    private static TimeSpan DurationOf(Profile profile, TimeSpan tokenLife)
    {
        var quarters = Math.Max(1, Math.Ceiling(tokenLife / StsLimits.ShortestSession));
        return quarters * StsLimits.ShortestSession < profile.SessionDuration ? quarters * StsLimits.ShortestSession : profile.SessionDuration;
    }
}
