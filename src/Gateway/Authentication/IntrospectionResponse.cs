using System.Text.Json;
using Gateway.Configuration;

namespace Gateway.Authentication;

/// <summary>Reads the caller from a response of the introspection endpoint (RFC 7662, 2.2). A response that leaves something open is refused.</summary>
internal static class IntrospectionResponse
{
    private const string Endpoint = "the introspection endpoint";

    // RFC 7662 names Bearer; the others are what providers write for the same.
    private static readonly string[] s_uses = ["access_token", "access"];
    private static readonly string[] s_types = [.. s_uses, "Bearer"];
    private static readonly string[] s_keys = ["api_key", "apikey"];

    // Members in which providers state the kind.
    private static readonly (string Name, string[] Access)[] s_kinds =
        [("token_type", s_types), ("token_use", s_uses), ("token_usage", s_uses), ("typ", [.. s_types, "at+jwt", "JWT"])];

    // For a refresh token or an authorization code, some providers name its client and its times, and nothing else. Access tokens have one of these.
    private static readonly string[] s_accessMembers = ["token_type", "token_use", "token_usage", "scope"];

    /// <param name="response">The response: an object with a boolean <c>active</c>.</param>
    /// <param name="claims">Reads organizations, roles and scopes.</param>
    /// <param name="origin">The issuer, if the response names none.</param>
    /// <param name="isBearer">Whether a bearer token was asked about, as opposed to an API key.</param>
    /// <param name="now">The time.</param>
    /// <param name="isRevoked">Whether a later response has refused the token.</param>
    /// <param name="refusal">Why there is no caller.</param>
    /// <exception cref="IntrospectionUnavailableException">The response cannot be read.</exception>
    public static CallerIdentity? Read(
        JsonElement response, ClaimReader claims, string origin, bool isBearer, DateTimeOffset now, Func<bool> isRevoked, out string? refusal)
    {
        try
        {
            refusal = null;
            if (!response.GetProperty("active").GetBoolean()) refusal = $"{Endpoint} says that it is not active";
            else if (response.TryGetProperty("cnf", out _)) refusal = "it is bound to its sender's key (cnf), and anybody could have sent it";
            else if (Array.Find(s_kinds, kind => !AllowsValue(response, kind.Name, kind.Access, isBearer)).Name is { } stated)
                refusal = $"{Endpoint} says that it is not {(isBearer ? "an access token" : "an API key")} ({stated})";
            else if (!TryTime(response, "exp", DateTimeOffset.MaxValue, out var expires) || !TryTime(response, "nbf", DateTimeOffset.MinValue, out var from))
                refusal = $"{Endpoint} names an exp or nbf that is no time";
            else if (expires <= now) refusal = $"{Endpoint} says that it has expired";
            else if (from > now + SchemeOptions.DefaultClockSkew) refusal = $"{Endpoint} says that it is not valid yet";
            else if (!TryText(response, "sub", out var subject) || (subject is null && !TryText(response, "client_id", out subject)) || subject is null)
                refusal = $"{Endpoint} names no sub and no client_id";
            else if (isBearer && IsMissing(response, "sub") && Array.TrueForAll(s_accessMembers, member => IsMissing(response, member)))
                refusal = $"{Endpoint} names a client_id and none of sub, {string.Join(", ", s_accessMembers)}, so it may be a refresh token";
            else if (subject.Length > CallerIdentity.LongestSubject)
                refusal = $"{Endpoint} names a sub or client_id of more than {CallerIdentity.LongestSubject} characters";
            else if (!TryText(response, "iss", out var issuer) || issuer == ApiKey.Issuer)
                refusal = $"{Endpoint} names an iss that is no issuer of its own";
            else
                return new CallerIdentity(issuer ?? origin, subject, expires)
                {
                    Scheme = IntrospectionAuthentication.Scheme,
                    NotBefore = from == DateTimeOffset.MinValue ? from : from - SchemeOptions.DefaultClockSkew,
                    Organizations = claims.Organizations(response),
                    Roles = claims.Roles(response),
                    Scopes = claims.Scopes(response),
                    IsRevoked = isRevoked,
                };
            return null;
        }
        catch (InvalidOperationException)
        {
            // A string holds an escaped half of a surrogate pair.
            throw new IntrospectionUnavailableException("its response holds text that is not Unicode");
        }
    }

    private static bool IsMissing(JsonElement response, string name) =>
        !response.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null;

    // Whether a member is missing, or has one of the allowed values in any case.
    private static bool AllowsValue(JsonElement response, string name, string[] access, bool isBearer) => IsMissing(response, name)
        || (response.GetProperty(name) is { ValueKind: JsonValueKind.String } value
            && (isBearer ? access : [.. access, .. s_keys]).Contains(value.GetString(), StringComparer.OrdinalIgnoreCase));

    // False if the member is there and no time.
    private static bool TryTime(JsonElement response, string name, DateTimeOffset otherwise, out DateTimeOffset time)
    {
        time = otherwise;
        if (!response.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return true;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds)) return false;
        if (seconds < 0 || seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds()) return false;
        time = DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        return true;
    }

    // False if the member is there and no text, or an empty one.
    private static bool TryText(JsonElement response, string name, out string? text)
    {
        text = null;
        if (!response.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return true;
        text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return !string.IsNullOrEmpty(text);
    }
}
