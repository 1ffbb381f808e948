using System.Text.Json;

namespace Gateway.Authentication;

/// <summary>
/// Decides whether a token is an access token (RFC 8725, 3.11). An issuer signs tokens of many kinds with one key: ID, refresh and logout tokens, security
/// events, responses of its endpoints. The lists here name the accepted kinds; every other kind is refused.
/// </summary>
internal static class TokenKind
{
    // From RFC 9068 and RFC 7519. Media types may be written with or without "application/", in any case.
    private static readonly string[] s_accessTypes = ["at+jwt", "application/at+jwt"];
    private static readonly string[] s_plainTypes = ["JWT", "application/jwt"];

    // Claims in which issuers (Cognito, Keycloak, PingAM, Casdoor, others) state the kind. A value in the last list is accepted but proves nothing: an ID token
    // is a JWT, too.
    private static readonly (string Claim, string[] Access, string[] Id, string[] Neither)[] s_uses =
    [
        ("token_use", ["access"], ["id"], []),
        ("typ", ["Bearer", "at+jwt", "access"], ["ID"], ["JWT"]),
        ("token_type", ["Bearer", "access", "access_token"], ["id", "id_token"], []),
        ("token_usage", ["access", "access_token"], ["id_token"], []),
        ("tokenName", ["access_token"], ["id_token"], []),
        ("tokenType", ["Bearer", "access", "access-token", "access_token"], ["id-token", "id_token"], []),
    ];

    // OpenID Connect Core defines these for ID tokens alone.
    private static readonly string[] s_idTokenClaims = ["nonce", "at_hash", "c_hash", "s_hash", "sub_jwk"];

    // Claims for the requesting client and its permissions. Access tokens carry them, ID tokens do not. ID tokens can have azp and roles, too, so those are not
    // listed.
    private static readonly string[] s_accessTokenClaims =
        ["scope", "scp", "client_id", "cid", "appid", "appidacr", "azpacr", "idtyp", "gty", "permissions"];

    // Claims about the sign-in and the user's identity: the content of an ID token.
    private static readonly string[] s_signInClaims =
    [
        // OpenID Connect: Core, Session Management, Identity Assurance.
        "auth_time", "acr", "amr", "sid", "session_state", "name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile",
        "picture", "website", "email", "email_verified", "gender", "birthdate", "zoneinfo", "locale", "phone_number", "phone_number_verified",
        "address", "updated_at", "verified_claims",
        // Microsoft: Entra ID in both versions, B2C, AD FS.
        "oid", "uti", "rh", "aio", "upn", "unique_name", "ipaddr", "login_hint", "onprem_sid", "puid", "altsecid", "pwd_exp", "pwd_url", "emails", "tfp",
        "newUser",
        // Google, Firebase, Cognito, Apple.
        "hd", "firebase", "cognito:username", "identities", "is_private_email", "nonce_supported", "real_user_status",
        // Names for the same data at issuers without a convention of their own.
        "username", "user_name", "login", "display_name", "full_name", "first_name", "last_name", "phone", "session_id",
    ];

    // Microsoft Entra ID: the scopes, and the requesting client, in tokens of version 2 and 1. Every access token has one of these claims, no ID token has any.
    private static readonly string[] s_entraAccessTokenClaims = ["scp", "azp", "appid"];

    // Claims that mark a signed token as something else: a security event (OpenID's logout token is one), an introspection response, a refresh token (of Cloud
    // Foundry's UAA, of Spring Security OAuth), a token that only the holder of another key may use.
    private static readonly (string Claim, string Refusal)[] s_otherKinds =
    [
        ("events", "the token is a security event or logout token"),
        ("token_introspection", "the token is an introspection response"),
        ("granted_scopes", "the token is a refresh token (granted_scopes)"),
        ("ati", "the token is a refresh token (ati)"),
        ("cnf", "the token is bound to its sender's key (cnf) and is not a bearer token"),
    ];

    /// <summary>Why a token with this header and payload is not accepted; null when it is accepted.</summary>
    public static string? Refusal(JsonElement header, JsonElement payload, bool acceptIdTokens, string scopeClaim, bool isEntra)
    {
        // These headers announce signature extensions, which a verifier must understand.
        if (header.TryGetProperty("crit", out _)) return "the token has a crit header";
        if (header.TryGetProperty("b64", out _)) return "the token has a b64 header";
        if (!IsTypeAccepted(header, out var isTyped)) return "the token's typ is not that of an access token: at+jwt or JWT";
        foreach (var (claim, refusal) in s_otherKinds)
            if (payload.TryGetProperty(claim, out _)) return refusal;

        var isAccessToken = isTyped;
        foreach (var (claim, access, id, neither) in s_uses)
        {
            if (!payload.TryGetProperty(claim, out var value) || IsOneOf(value, neither)) continue;
            if (IsOneOf(value, access)) isAccessToken = true;
            else if (!IsOneOf(value, id)) return $"the token's {claim} is not that of an access token: {string.Join(" or ", access)}";
            // If a claim states that the token is an ID token, it is one, whatever its header says.
            else return acceptIdTokens ? null : IdToken(claim);
        }

        if (acceptIdTokens || isAccessToken) return null;
        if (isEntra) return HasAny(payload, s_entraAccessTokenClaims) ? null : IdToken("it has neither scp nor azp nor appid");
        if (First(payload, s_idTokenClaims) is { } idTokenClaim) return IdToken(idTokenClaim);
        if (NamesAny(payload, s_accessTokenClaims) || Names(payload, scopeClaim)) return null;
        return First(payload, s_signInClaims) is { } signInClaim ? IdToken(signInClaim) : null;
    }

    private static string IdToken(string evidence) => $"the token is an ID token ({evidence}), and AcceptIdTokens is not set";

    private static bool IsTypeAccepted(JsonElement header, out bool isAccessToken)
    {
        isAccessToken = false;
        if (!header.TryGetProperty("typ", out var type)) return true;
        isAccessToken = IsOneOf(type, s_accessTypes);
        return isAccessToken || IsOneOf(type, s_plainTypes);
    }

    private static bool IsOneOf(JsonElement value, string[] allowed) =>
        value.ValueKind == JsonValueKind.String && allowed.Contains(value.GetString(), StringComparer.OrdinalIgnoreCase);

    private static bool HasAny(JsonElement payload, string[] claims) => First(payload, claims) is not null;

    private static bool NamesAny(JsonElement payload, string[] claims) => claims.Any(claim => Names(payload, claim));

    // An empty scope or client does not count as present.
    private static bool Names(JsonElement payload, string claim) => ClaimReader.TryFind(payload, claim, out var value) && value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => false,
    };

    private static string? First(JsonElement payload, string[] claims) => claims.FirstOrDefault(claim => payload.TryGetProperty(claim, out _));
}
