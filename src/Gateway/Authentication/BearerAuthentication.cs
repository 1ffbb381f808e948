using Gateway.Authentication.Keys;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>
/// Has a request's JSON Web Token checked by the scheme of the issuer that the token names, and caches successful results. If no scheme handles that issuer,
/// the token is refused. A token that cannot be judged leaves an <see cref="UnjudgedToken"/> on the request.
/// </summary>
internal sealed class BearerAuthentication(
    IssuerSchemes schemes, KeySources sources, ValidatedTokenCache validated, AuthenticationThrottle edge, IAuthenticationSchemeProvider provider,
    IOptionsMonitor<JwtBearerOptions> options)
{
    public const string UnknownKey = "its issuer publishes no key of its key id";

    private HttpContext _context = null!;

    public async Task<AuthenticateResult> AuthenticateAsync(HttpContext context)
    {
        _context = context;
        var token = BearerToken.Of(_context.Request) ?? default;
        var issuer = BearerToken.ClaimedIssuer(token.Span);
        var scheme = schemes.Find(issuer);
        var key = TokenKey.Of(scheme ?? "", token.Span);
        // A token that was valid before is exempt from the throttle, and is checked again from any address.
        var throttle = validated.WasGood(key) ? null : edge.ForListenerOf(_context);
        if (throttle?.LockedFor(_context) is { } locked) return UnjudgedToken.LockedOut(_context, locked);

        var hasKeyId = BearerToken.TryReadKeyId(token.Span, out var keyId);
        var keys = scheme is null || !hasKeyId ? null : sources.Find(scheme);
        // If a token fails for a reason that no key can fix, it does not wait for keys.
        var flaw = keys is null || keys.Current?.MayJudge(keyId) == true ? null : await FlawAsync(scheme!, token);
        var isRead = keys is null || flaw is not null || await FindKeyAsync(keys, keyId);

        using var check = throttle is null ? null : await throttle.BeginAsync(_context, key, keys);
        if (throttle is not null && check is null) return UnjudgedToken.LockedOut(_context, throttle.LockedFor(_context));
        var before = keys?.Current;
        if (keys is null)
        {
            return Refuse(AuthenticateResult.Fail(
                issuer is null ? RefusalText.WithoutIssuer(token.Span) : scheme is null ? RefusalText.UnknownIssuer : RefusalText.Unreadable));
        }

        if (flaw is not null) return Refuse(AuthenticateResult.Fail(flaw));
        if (before?.MayJudge(keyId) != true)
        {
            var isPaused = before is not null && keys.IsPaused && !IsForAnyone(_context);
            // The key of a token that was valid before has been withdrawn. A token that a fetch has missed stays refused until the next one.
            if (isRead || (isPaused && (check is null || check.KnownUnder(before!) is not null)))
                return Refuse(AuthenticateResult.Fail(UnknownKey), canBeLifted: true);
            if (isPaused) check!.Postpone(keys, before!);
            return KeysUnavailable(keys);
        }

        var result = check?.KnownUnder(before) ?? await CheckAsync(key, keys);
        if (result.Succeeded) return result;
        if (result.Failure is not SecurityTokenInvalidSignatureException || IsForAnyone(_context)) return Refuse(result);
        if (await FlawAsync(key.Scheme, token) is { } other) return Refuse(AuthenticateResult.Fail(other));

        // The issuer may have published another key under the same id, or under none. The token counts as refused while it waits for the refresh, so that no
        // other request waits for the same token. It stays counted afterwards, because a check was made, unless it turns out to be valid.
        var isNamed = keyId is not null && before.Has(keyId);
        _ = Refuse(result, canBeLifted: !isNamed);
        check?.Dispose();
        var isFresh = await keys.RefreshAsync(_context.RequestAborted);
        // A fetch has missed the key since the token was first refused, and none may begin yet: the refusal stands.
        var isMissed = keys.IsPaused && (check is null || check.WasReadSince(keys));
        if (keys.Current != before) result = await CheckAsync(key, keys);
        else if (!isFresh && !isNamed && !isMissed) result = KeysUnavailable(keys);
        if (result.Succeeded) check?.Withdraw();
        return result;

        AuthenticateResult Refuse(AuthenticateResult refused, bool canBeLifted = false)
        {
            var clockSkew = scheme is null ? TimeSpan.Zero : options.Get(scheme).TokenValidationParameters.ClockSkew;
            check?.Refuse(refused, before, clockSkew, canBeLifted ? keys : null);
            return refused;
        }
    }

    // An anonymous route does not wait for keys.
    public static bool IsForAnyone(HttpContext context) => context.GetEndpoint()?.Metadata is { } metadata
        && (metadata.GetMetadata<IAllowAnonymous>() is not null
            || metadata.GetMetadata<AuthorizationPolicy>()?.Requirements.OfType<DenyAnonymousAuthorizationRequirement>().Any() == false);

    /// <summary>Waits for a key that is missing from the current keys, if waiting can help.</summary>
    /// <returns>Whether the current keys have the key, or a fetch has just missed it.</returns>
    private async ValueTask<bool> FindKeyAsync(IssuerKeys keys, string? keyId) =>
        keys.Current?.MayJudge(keyId) == true || (!IsForAnyone(_context) && await keys.RefreshAsync(_context.RequestAborted));

    /// <summary>Why the token is invalid under any key of its issuer; null when its signature decides.</summary>
    private async Task<Exception?> FlawAsync(string scheme, ReadOnlyMemory<char> token)
    {
        var (_, failures) = await KeylessCheck.OfAsync(_context, (await provider.GetSchemeAsync(scheme))!, options.Get(scheme), token.ToString());
        return failures is [var first, ..] ? first : null;
    }

    private async Task<AuthenticateResult> CheckAsync(TokenKey key, IssuerKeys keys)
    {
        var current = keys.Current!;
        // A handler caches its result for the request, so a second check needs a second handler.
        var handler = _context.RequestServices.GetRequiredService<JwtBearerHandler>();
        await handler.InitializeAsync((await provider.GetSchemeAsync(key.Scheme))!, _context);
        var result = await handler.AuthenticateAsync();
        if (!result.Succeeded || CallerIdentity.Of(result.Principal) is not { } caller) return result;

        // The library's own result holds every claim of the token; keep a smaller one.
        var kept = AuthenticateResult.Success(new AuthenticationTicket(result.Principal, key.Scheme));
        // The issuer's keys may have been refreshed during the check. Cache the result only if they have not changed.
        if (keys.Current == current) validated.Add(key, kept, caller, current);
        return kept;
    }

    private AuthenticateResult KeysUnavailable(IssuerKeys keys) => UnjudgedToken.WithoutKeys(_context, keys.RetryAfter);
}
