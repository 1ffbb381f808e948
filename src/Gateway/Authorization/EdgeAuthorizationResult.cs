using CredentialModule.Http;
using Gateway.Authentication;
using Gateway.Edge;
using Gateway.Errors;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Authorization;

/// <summary>The order of the answers: who are you (401; 429 or 503 when the token was not judged), then what the endpoint demands of method, id and query (405, 422), then what you may not (403).</summary>
internal sealed class EdgeAuthorizationResult : IAuthorizationMiddlewareResultHandler
{
    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Challenged)
        {
            if (context.Features.Get<UnjudgedToken>() is { } unjudged)
            {
                RetryAfter.Set(context.Response, unjudged.RetryAfter);
                return ErrorAnswer.WriteAsync(context, unjudged.Status);
            }

            context.Response.Headers.WWWAuthenticate = BearerToken.WasSent(context.Request) ? "Bearer error=\"invalid_token\"" : "Bearer";
            return ErrorAnswer.WriteAsync(context, StatusCodes.Status401Unauthorized);
        }

        foreach (var rule in context.GetEndpoint()?.Metadata.GetOrderedMetadata<IRequestRule>() ?? [])
        {
            if (rule.Refuse(context) is { } refusal) return ErrorAnswer.WriteAsync(context, refusal);
        }

        var isAllowed = context.GetEndpoint()?.Metadata.GetMetadata<IpAllowList>()?.Allows(context.Connection.RemoteIpAddress) ?? true;
        return authorizeResult.Forbidden || !isAllowed ? ErrorAnswer.WriteAsync(context, StatusCodes.Status403Forbidden) : next(context);
    }
}
