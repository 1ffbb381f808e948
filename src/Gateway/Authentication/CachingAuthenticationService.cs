using System.Security.Claims;
using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// The framework's authentication service behind the token cache. If the request's token is in the cache, no authentication handler runs and nothing is
/// allocated for the request. A cached token does not wait for a fetch of keys, and is accepted from a locked-out address. Configured API keys need no handler
/// either.
/// </summary>
internal sealed class CachingAuthenticationService(
    IssuerSchemes schemes, ValidatedTokenCache validated, KeySources sources, ApiKeyAuthentication apiKeys, IntrospectionAuthentication? introspection,
    GatewayMetrics metrics, CachingAuthenticationService.Framework framework)
    : IAuthenticationService
{
    public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme) =>
        (scheme is null or CallerHandler.Scheme ? Find(context) : null) ?? FrameworkOf(context).AuthenticateAsync(context, scheme);

    public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).ChallengeAsync(context, scheme, properties);

    public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).ForbidAsync(context, scheme, properties);

    public Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties) =>
        FrameworkOf(context).SignInAsync(context, scheme, principal, properties);

    public Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).SignOutAsync(context, scheme, properties);

    private Task<AuthenticateResult>? Find(HttpContext context)
    {
        if (apiKeys.WasSent(context.Request)) return Counted(ApiKey.Scheme, apiKeys.Find(context));
        if (BearerToken.Of(context.Request) is not { IsEmpty: false } token) return null;
        var key = TokenKey.Of("", token.Span);
        foreach (var scheme in schemes.Names)
        {
            // A cached result is valid only under the keys that the token was checked with.
            if (validated.Find(key with { Scheme = scheme }) is { } known && known.Keys == sources.Find(scheme)?.Current)
                return Counted(scheme, known.Result);
        }

        return introspection is null ? null : Counted(IntrospectionAuthentication.Scheme, introspection.Find(IntrospectedKind.Bearer, token.Span));
    }

    private Task<AuthenticateResult>? Counted(string scheme, Task<AuthenticateResult>? result)
    {
        if (result is not null) metrics.Authenticated(scheme, AuthenticationOutcome.Accepted);
        return result;
    }

    private IAuthenticationService FrameworkOf(HttpContext context) => (IAuthenticationService)context.RequestServices.GetRequiredService(framework.Service);

    /// <summary>The type of the framework's own service, under which it is registered.</summary>
    public sealed record Framework(Type Service);
}
