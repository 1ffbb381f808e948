using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>Why a request's token or key could not be judged. It is then neither valid nor refused.</summary>
/// <param name="Status">
/// 429 when the client's address is locked out; 503 when the introspection endpoint cannot be reached, or the issuer's keys cannot be read or not yet again.
/// </param>
/// <param name="Reason">The reason, in a word.</param>
/// <param name="RetryAfter">When to send it again.</param>
internal sealed record UnjudgedToken(int Status, string Reason, TimeSpan RetryAfter)
{
    /// <summary>The client's address is locked out.</summary>
    public static AuthenticateResult LockedOut(HttpContext context, TimeSpan? retryAfter) =>
        Set(context, new(StatusCodes.Status429TooManyRequests, GatewayReason.LockedOut, retryAfter ?? TimeSpan.Zero));

    /// <summary>The issuer's keys cannot be read, or not yet again.</summary>
    public static AuthenticateResult WithoutKeys(HttpContext context, TimeSpan retryAfter) =>
        Set(context, new(StatusCodes.Status503ServiceUnavailable, GatewayReason.IssuerUnavailable, retryAfter));

    /// <summary>The introspection endpoint cannot be asked.</summary>
    public static AuthenticateResult WithoutIntrospection(HttpContext context, TimeSpan retryAfter) =>
        Set(context, new(StatusCodes.Status503ServiceUnavailable, GatewayReason.IntrospectionUnavailable, retryAfter));

    private static AuthenticateResult Set(HttpContext context, UnjudgedToken unjudged)
    {
        context.Features.Set(unjudged);
        return AuthenticateResult.NoResult();
    }
}
