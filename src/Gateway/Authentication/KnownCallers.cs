using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authentication;

namespace Gateway.Authentication;

/// <summary>
/// Finds the caller of a request by a configured API key, or by a bearer token in the cache. No authentication handler runs, and nothing is allocated for the
/// request. A cached token does not wait for a fetch of keys, and is accepted from a locked-out address.
/// </summary>
internal sealed class KnownCallers(
    IssuerSchemes schemes, ValidatedTokenCache validated, KeySources sources, ApiKeyAuthentication apiKeys, IntrospectionAuthentication? introspection)
{
    /// <summary>The caller's scheme, and the scheme's result, which is there already; null when the request has to be judged.</summary>
    public (string Scheme, Task<AuthenticateResult> Result)? Find(HttpContext context)
    {
        if (apiKeys.WasSent(context.Request)) return Found(ApiKey.Scheme, apiKeys.Find(context));
        if (BearerToken.Of(context.Request) is not { IsEmpty: false } token) return null;
        var key = TokenKey.Of("", token.Span);
        foreach (var scheme in schemes.Names)
        {
            // A cached result is valid only under the keys that the token was checked with.
            if (validated.Find(key with { Scheme = scheme }) is { } known && known.Keys == sources.Find(scheme)?.Current) return (scheme, known.Result);
        }

        return introspection is null ? null : Found(IntrospectionAuthentication.Scheme, introspection.Find(IntrospectedKind.Bearer, token.Span));
    }

    private static (string, Task<AuthenticateResult>)? Found(string scheme, Task<AuthenticateResult>? result) => result is null ? null : (scheme, result);
}
