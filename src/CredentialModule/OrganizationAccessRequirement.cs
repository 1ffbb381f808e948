using Microsoft.AspNetCore.Authorization;

namespace CredentialModule;

/// <summary>
/// The question that the module puts to its host before it vends: may this caller have this organization?
/// It is asked of <see cref="IAuthorizationService"/> with the <see cref="OrganizationId"/> as the resource; the host answers by an
/// <c>AuthorizationHandler&lt;OrganizationAccessRequirement, …&gt;</c>. A host that registers none does not start.
/// </summary>
public sealed class OrganizationAccessRequirement : IAuthorizationRequirement
{
    /// <summary>The requirement; it has no state.</summary>
    public static OrganizationAccessRequirement Instance { get; } = new();

    private OrganizationAccessRequirement() { }

    /// <inheritdoc/>
    public override string ToString() => "the route's organization must be one of the caller's";
}
