using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// The default scheme: finds out who calls, by an API key or by a bearer token, of which a request has at most one. Each kind of check caches its successful
/// results; every result is counted here, and refusals are logged by <see cref="Refusals"/>.
/// </summary>
internal sealed class CallerHandler(
    ApiKeyAuthentication keys,
    IntrospectionAuthentication? introspection,
    BearerAuthentication bearer,
    IssuerSchemes schemes,
    GatewayMetrics metrics,
    Refusals refusals)
    : IAuthenticationHandler
{
    // Scheme names in the configuration cannot contain a colon, so this name cannot collide.
    public const string Scheme = "gateway:caller";

    private static readonly AuthenticateResult s_both = AuthenticateResult.Fail(RefusalText.SentTogether);
    private static readonly AuthenticateResult s_ambiguous = AuthenticateResult.Fail(RefusalText.SentTwice);

    private HttpContext _context = null!;

    public Task InitializeAsync(AuthenticationScheme scheme, HttpContext context)
    {
        _context = context;
        return Task.CompletedTask;
    }

    public async Task<AuthenticateResult> AuthenticateAsync()
    {
        var hasToken = BearerToken.WasSent(_context.Request);
        if (keys.WasSent(_context.Request)) return Recorded(ApiKey.Scheme, hasToken ? s_both : await keys.AuthenticateAsync(_context));
        if (!hasToken) return AuthenticateResult.NoResult();
        if (BearerToken.Of(_context.Request) is not { } token) return Recorded(null, s_ambiguous);
        if (introspection?.Takes(IntrospectedKind.Bearer) == true && !BearerToken.IsJsonWebToken(token.Span))
            return Recorded(IntrospectionAuthentication.Scheme, await introspection.AuthenticateAsync(_context, IntrospectedKind.Bearer, token));
        return Recorded(schemes.Find(BearerToken.ClaimedIssuer(token.Span)), await bearer.AuthenticateAsync(_context), token);
    }

    public Task ChallengeAsync(AuthenticationProperties? properties) => RespondAsync(StatusCodes.Status401Unauthorized);

    public Task ForbidAsync(AuthenticationProperties? properties) => RespondAsync(StatusCodes.Status403Forbidden);

    private AuthenticateResult Recorded(string? scheme, AuthenticateResult result, ReadOnlyMemory<char> token = default)
    {
        // A key may have been accepted by introspection.
        metrics.Authenticated((result.Succeeded ? CallerIdentity.Of(result.Principal)?.Scheme : null) ?? scheme, OutcomeOf(result));
        if (result.Failure is not { } failure) return result;
        _context.Features.Set(new RefusedToken(RefusalText.WordOf(failure)));
        refusals.Report(scheme, failure, token.Span);
        return result;
    }

    private AuthenticationOutcome OutcomeOf(AuthenticateResult result) =>
        result.Succeeded ? AuthenticationOutcome.Accepted
        : _context.Features.Get<UnjudgedToken>() is not { } unjudged ? AuthenticationOutcome.Refused
        : unjudged.Status == StatusCodes.Status429TooManyRequests ? AuthenticationOutcome.LockedOut
        : AuthenticationOutcome.Unavailable;

    private Task RespondAsync(int status)
    {
        _context.Response.StatusCode = status;
        return Task.CompletedTask;
    }
}
