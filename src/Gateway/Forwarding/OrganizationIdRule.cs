using CredentialModule.Http;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: whoever gets here was found to be a member of the route's organization.</summary>
internal sealed class MembershipProven;

/// <summary>A well-formed organization id (422).</summary>
internal sealed class OrganizationIdRule : IRequestRule
{
    public int? Refuse(HttpContext context) => RouteOrganization.Of(context) is null ? StatusCodes.Status422UnprocessableEntity : null;
}
