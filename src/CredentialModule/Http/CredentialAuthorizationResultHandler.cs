using IotCredentials.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Http;

/// <summary>
/// Gives a refusal of the route's policy the body and the headers of the route's other errors, unless the authentication scheme writes its own. A host that has
/// a handler keeps it.
/// </summary>
internal sealed class CredentialAuthorizationResultHandler(ILogger<CredentialAuthorizationResultHandler> logger) : IAuthorizationMiddlewareResultHandler
{
    private readonly AuthorizationMiddlewareResultHandler _framework = new();
    private bool _isTold;

    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        await _framework.HandleAsync(next, context, policy, authorizeResult);
        if (authorizeResult.Succeeded || context.GetEndpoint() is not { } endpoint || endpoint.Metadata.GetMetadata<CredentialQueryRule>() is null) return;
        // UseAuthentication sets the feature. The schemes of a policy are asked by the authorization itself.
        if (authorizeResult.Challenged && policy.AuthenticationSchemes.Count == 0 && context.Features.Get<IAuthenticationFeature>() is null
            && !Interlocked.Exchange(ref _isTold, true))
        {
            Log.AuthenticationTooLate(logger, endpoint.DisplayName);
        }

        var response = context.Response;
        if (response.StatusCode is not (StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden)
            || response.HasStarted || response.ContentLength is not null || !string.IsNullOrEmpty(response.ContentType)) return;
        await ErrorResponse.WriteAsync(context, response.StatusCode, authorizeResult.Challenged ? ErrorReason.NoToken : ErrorReason.Policy);
    }
}
