using System.Security.Claims;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>The framework's authentication service, which is not asked about known callers.</summary>
internal sealed class CallerAuthenticationService(KnownCallers callers, GatewayMetrics metrics, CallerAuthenticationService.Framework framework)
    : IAuthenticationService
{
    public Task<AuthenticateResult> AuthenticateAsync(HttpContext context, string? scheme)
    {
        if (scheme is not (null or CallerHandler.Scheme) || callers.Find(context) is not var (known, result))
            return FrameworkOf(context).AuthenticateAsync(context, scheme);
        metrics.Authenticated(known, AuthenticationOutcome.Accepted);
        return result;
    }

    public Task ChallengeAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).ChallengeAsync(context, scheme, properties);

    public Task ForbidAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).ForbidAsync(context, scheme, properties);

    public Task SignInAsync(HttpContext context, string? scheme, ClaimsPrincipal principal, AuthenticationProperties? properties) =>
        FrameworkOf(context).SignInAsync(context, scheme, principal, properties);

    public Task SignOutAsync(HttpContext context, string? scheme, AuthenticationProperties? properties) =>
        FrameworkOf(context).SignOutAsync(context, scheme, properties);

    private IAuthenticationService FrameworkOf(HttpContext context) => (IAuthenticationService)context.RequestServices.GetRequiredService(framework.Service);

    /// <summary>The type of the framework's own service, under which it is registered.</summary>
    public sealed record Framework(Type Service);
}
