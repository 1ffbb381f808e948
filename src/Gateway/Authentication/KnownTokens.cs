using System.Security.Claims;
using Gateway.Authentication.Keys;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// The framework's authentication, with one question before it: whether the request's token is in the token cache. If it is, no scheme is asked,
/// nothing is made for the request, and nothing keeps it: neither a fetch of keys nor a client address that is locked out.
/// </summary>
internal sealed class KnownTokens(IssuerSchemes schemes, ValidatedTokens validated, KeySources sources, KnownTokens.Framework framework)
    : IAuthenticationService
{
    public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme) =>
        (scheme is null or BearerHandler.Scheme ? Find(context) : null) ?? FrameworkOf(context).AuthenticateAsync(context, scheme);

    public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => FrameworkOf(context).ChallengeAsync(context, scheme, properties);

    public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => FrameworkOf(context).ForbidAsync(context, scheme, properties);

    public Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties) =>
        FrameworkOf(context).SignInAsync(context, scheme, principal, properties);

    public Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) => FrameworkOf(context).SignOutAsync(context, scheme, properties);

    private Task<AuthenticateResult>? Find(HttpContext context)
    {
        if (BearerToken.Of(context.Request) is not { IsEmpty: false } token) return null;
        var key = TokenKey.Of("", token.Span);
        foreach (var scheme in schemes.Names)
        {
            // A token must not outlive the key that it was checked with.
            if (validated.Find(key with { Scheme = scheme }) is { } known && known.Keys == sources.Find(scheme)?.Current) return known.Result;
        }

        return null;
    }

    private IAuthenticationService FrameworkOf(HttpContext context) => (IAuthenticationService)context.RequestServices.GetRequiredService(framework.Service);

    /// <summary>The type of the framework's own service, which is registered by it.</summary>
    public sealed record Framework(Type Service);
}
