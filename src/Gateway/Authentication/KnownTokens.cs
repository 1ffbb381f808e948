using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;

namespace Gateway.Authentication;

/// <summary>
/// The framework's authentication, with one question before it: whether the request's token is known already. Where it is, no scheme is asked
/// and nothing is made for the request.
/// </summary>
internal sealed class KnownTokens(IssuerSchemes schemes, ValidatedTokens validated, IOptionsMonitor<JwtBearerOptions> options, KnownTokens.Framework framework) : IAuthenticationService
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
            if (validated.Find(key with { Scheme = scheme }) is not { } known) continue;
            // Asked for at each use: this is what reads them anew when it is time, and a token must not outlive the key that it was checked with.
            var keys = options.KeysOfAsync(scheme);
            if (keys.IsCompletedSuccessfully && keys.Result == known.Keys) return known.Result;
        }

        return null;
    }

    private IAuthenticationService FrameworkOf(HttpContext context) => (IAuthenticationService)context.RequestServices.GetRequiredService(framework.Service);

    /// <summary>The type of the framework's own service, which is registered by it.</summary>
    public sealed record Framework(Type Service);
}
