using Gateway.Configuration;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// Authenticates callers by the API key in a request's header: a configured key, or one that the introspection endpoint knows. A configured key of the
/// gateway's own make is accepted from a locked-out address, since nobody guesses one. Keys of another make may be guessable, and are not.
/// </summary>
internal sealed class ApiKeyAuthentication(ApiKeyTable keys, IntrospectionAuthentication? introspection, AuthenticationThrottle edge)
{
    public const string Malformed = "it is no API key: its length, characters or checksum are wrong";
    public const string Unknown = "no API key has its hash";
    public const string Expired = "the API key has expired";

    private static readonly AuthenticateResult s_ambiguous = AuthenticateResult.Fail(RefusalText.SentTwice);
    private static readonly AuthenticateResult s_malformed = AuthenticateResult.Fail(Malformed);
    private static readonly AuthenticateResult s_unknown = AuthenticateResult.Fail(Unknown);
    private static readonly AuthenticateResult s_expired = AuthenticateResult.Fail(Expired);

    // All texts that are too long to be hashed count as one.
    private static readonly TokenKey s_unhashed = new(ApiKey.Scheme, 0, 0);

    /// <summary>Whether the request has the header, with whatever value. It has not, where no keys are accepted.</summary>
    public bool WasSent(HttpRequest request) => keys.Header is { } header && request.Headers.ContainsKey(header);

    /// <summary>The result for a request with a configured key and nothing else; null when there is more to judge. It neither waits nor allocates.</summary>
    public Task<AuthenticateResult>? Find(HttpContext context)
    {
        if (keys.Header is not { } header || !context.Request.Headers.TryGetValue(header, out var sent)) return null;
        if (sent is not [{ } text] || BearerToken.WasSent(context.Request) || !ApiKeyText.IsText(text)) return null;
        return keys.Find(text) is { } key && key.IsWellFormed(text) && !keys.HasExpired(key)
            && (ApiKeyText.IsOwn(text) || edge.ForListenerOf(context).LockedFor(context) is null)
            ? keys.ResultOf(key)
            : null;
    }

    public async Task<AuthenticateResult> AuthenticateAsync(HttpContext context)
    {
        if (Find(context) is { } found) return await found;
        if (context.Request.Headers[keys.Header!] is not [{ } text]) return s_ambiguous;
        var isWellFormed = ApiKeyText.IsWellFormed(text);
        var key = isWellFormed ? keys.Find(text) : null;
        // A JSON Web Token is judged as a bearer token or not at all: introspection would ask neither for its audience nor for its kind.
        if (isWellFormed && key is null && introspection?.Takes(IntrospectedKind.ApiKey) == true && !BearerToken.IsJsonWebToken(text))
            return await introspection.AuthenticateAsync(context, IntrospectedKind.ApiKey, text.AsMemory());

        var throttle = edge.ForListenerOf(context);
        using var check = await throttle.BeginAsync(context, text.Length > ApiKeyText.Longest ? s_unhashed : TokenKey.Of(ApiKey.Scheme, text), keys: null);
        if (check is null)
            return UnjudgedToken.LockedOut(context, throttle.LockedFor(context));
        if (key is not null && !keys.HasExpired(key)) return await keys.ResultOf(key);
        var refused = !isWellFormed ? s_malformed : key is null ? s_unknown : s_expired;
        check.Refuse(refused, keys: null, TimeSpan.Zero);
        return refused;
    }
}
