using System.Security.Claims;
using IotCredentials.Vending;

namespace IotCredentials.Operations;

/// <summary>Invalidates the cached credentials of organizations, for an operator.</summary>
public sealed class CredentialInvalidation
{
    private readonly CacheInvalidation _cache;
    private readonly AuditTrail _audit;

    internal CredentialInvalidation(CacheInvalidation cache, AuditTrail audit) => (_cache, _audit) = (cache, audit);

    /// <summary>Invalidates an organization in this replica and in all others. False if the others could not be reached.</summary>
    public Task<bool> InvalidateAsync(OrganizationId organization) => _cache.InvalidateAsync(organization);

    /// <summary>Writes an operator's request to the audit log, whether it was carried out or refused.</summary>
    /// <param name="caller">The operator.</param>
    /// <param name="organization">The organization as it was requested.</param>
    /// <param name="outcome">What became of it.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="requestId">The host's id of the request.</param>
    public void Audit(ClaimsPrincipal caller, string organization, InvalidationOutcome outcome, int status, string requestId) =>
        _audit.CacheInvalidated(CallerClaims.Of(caller), organization, outcome.ToString(), status, requestId);
}
