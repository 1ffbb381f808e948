using Microsoft.AspNetCore.Authorization;

namespace IotCredentials;

/// <summary>
/// The requirement that the module checks before it vends: this caller may have this organization. It is evaluated by <see cref="IAuthorizationService"/> with
/// the <see cref="OrganizationId"/> as the resource; the host implements it by an <c>AuthorizationHandler&lt;OrganizationAccessRequirement, …&gt;</c>. A host
/// that registers none does not start.
/// </summary>
public sealed class OrganizationAccessRequirement : IAuthorizationRequirement
{
    /// <summary>The requirement; it has no state.</summary>
    public static OrganizationAccessRequirement Instance { get; } = new();

    private OrganizationAccessRequirement() { }

    /// <inheritdoc/>
    public override string ToString() => "the route's organization must be one of the caller's";
}
