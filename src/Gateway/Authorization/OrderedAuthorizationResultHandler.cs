using Gateway.Authentication;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Authorization;

/// <summary>
/// Responds in the order of the contract: 401 (429 or 503 when the token or key was not judged), then the endpoint's preconditions on method, id and query
/// (405, 422), then 403. The preconditions are checked here because only a policy's result handler runs between the 401 and the 403.
/// </summary>
internal sealed class OrderedAuthorizationResultHandler : IAuthorizationMiddlewareResultHandler
{
    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Challenged)
        {
            if (context.Features.Get<UnjudgedToken>() is { } unjudged)
            {
                ErrorResponse.SetRetryAfter(context.Response, unjudged.RetryAfter);
                return ErrorResponse.WriteAsync(context, unjudged.Status, unjudged.Reason);
            }

            context.Response.Headers.WWWAuthenticate = BearerToken.WasSent(context.Request) ? "Bearer error=\"invalid_token\"" : "Bearer";
            return ErrorResponse.WriteAsync(context, StatusCodes.Status401Unauthorized, context.Features.Get<RefusedToken>()?.Reason ?? ErrorReason.NoToken);
        }

        if (context.GetEndpoint() is { } endpoint && Preconditions.RefusalOf(context, endpoint) is { } refusal)
            return ErrorResponse.WriteAsync(context, refusal);

        var failed = authorizeResult.AuthorizationFailure?.FailedRequirements.FirstOrDefault();
        return authorizeResult.Forbidden ? ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, ReasonOf(failed))
            : Preconditions.IsElsewhere(context, context.User) ? ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, GatewayReason.ClientAddress)
            : next(context);
    }

    /// <summary>The word for a requirement that a caller does not meet.</summary>
    public static string ReasonOf(IAuthorizationRequirement? failed) => failed switch
    {
        OrganizationAccessRequirement => ErrorReason.Organization,
        CallerRequirement requirement => requirement.Reason,
        _ => ErrorReason.Policy,
    };
}
