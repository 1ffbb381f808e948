using IotCredentials.Http;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: the route's authorization proves that the caller is a member of its organization.</summary>
internal sealed class MembershipProven;

/// <summary>The organization id in the path must be well-formed (422).</summary>
internal sealed class OrganizationIdPrecondition : IRequestPrecondition
{
    public int? Check(HttpContext context)
    {
        if (RouteOrganization.Of(context) is not null) return null;
        ErrorReason.Set(context, ErrorReason.OrganizationId);
        return StatusCodes.Status422UnprocessableEntity;
    }
}
