using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>Why a request's token or key could not be judged. It is then neither valid nor refused.</summary>
/// <param name="Status">429 when the client's address is locked out; 503 when the issuer's keys, or the introspection endpoint, cannot be reached.</param>
/// <param name="RetryAfter">When to send it again.</param>
internal sealed record UnjudgedToken(int Status, TimeSpan RetryAfter)
{
    public static AuthenticateResult Set(HttpContext context, int status, TimeSpan retryAfter)
    {
        context.Features.Set(new UnjudgedToken(status, retryAfter));
        return AuthenticateResult.NoResult();
    }
}
