using Gateway.Authentication;
using Gateway.Networking;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Authorization;

/// <summary>
/// Responds in the order of the contract: 401 (429 or 503 when the token or key was not judged), then the endpoint's preconditions on method, id and query
/// (405, 422), then 403. The preconditions are checked here because a policy is evaluated only once, and only its result handler runs between the 401 and
/// the 403.
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
            return ErrorResponse.WriteAsync(context, StatusCodes.Status401Unauthorized, context.Features.Get<RefusedToken>()?.Reason ?? "no_token");
        }

        foreach (var rule in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IRequestPrecondition>() ?? [])
        {
            if (rule.Check(context) is { } refusal) return ErrorResponse.WriteAsync(context, refusal);
        }

        // A key that may be used from elsewhere only is known, so this is no 401.
        var isElsewhere = CallerIdentity.Of(context.User) is { IpAllow: { } allowed } && !AddressList.Contains(allowed, context.Connection.RemoteIpAddress);
        var failed = authorizeResult.AuthorizationFailure?.FailedRequirements.FirstOrDefault();
        return authorizeResult.Forbidden ? ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, ReasonOf(failed))
            : isElsewhere ? ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, "client_address")
            : next(context);
    }

    /// <summary>The word for a requirement that a caller does not meet.</summary>
    public static string ReasonOf(IAuthorizationRequirement? failed) => failed switch
    {
        OrganizationAccessRequirement => "organization",
        CallerRequirement requirement => requirement.Reason,
        _ => "policy",
    };
}
