using System.Buffers.Text;
using System.Collections.Frozen;
using System.Security.Claims;
using System.Text.Json;
using CredentialModule;
using Gateway.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Gateway.Authentication;

/// <summary>Reads a validated token by its scheme's settings. What is not written as they say is not there.</summary>
internal sealed class TokenReader(
    string scheme, OrganizationClaimOptions? organizations, IReadOnlyList<string>? only, IReadOnlyList<string> roleClaims, IReadOnlyList<string> scopeClaims, bool acceptIdTokens, OrganizationIdFormat ids)
{
    // A claim that stands there twice is read as the one here and as the other elsewhere.
    private static readonly JsonDocumentOptions s_once = new() { AllowDuplicateProperties = false };

    /// <summary>The caller; null with the reason when the token is none that the gateway takes, for all its valid signature.</summary>
    public CallerIdentity? Read(JsonWebToken token, ClaimsIdentity validated, out string? refusal)
    {
        try
        {
            // JsonWebToken hands out a claim in whatever type is asked for; only the payload itself says how it is written.
            using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), s_once);
            return Read(token, payload.RootElement, validated, out refusal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what is thrown for an escape of half a character.
            refusal = "the token's payload is ambiguous";
            return null;
        }
    }

    private CallerIdentity? Read(JsonWebToken token, JsonElement payload, ClaimsIdentity validated, out string? refusal)
    {
        refusal = token.TryGetHeaderValue<object>("crit", out _) ? "the token has a crit header"
            : !acceptIdTokens && IsIdToken(token, payload) ? "the token is an ID token"
            : string.IsNullOrEmpty(token.Subject) ? "the token names no subject"
            : null;
        return refusal is not null ? null : new CallerIdentity(validated)
        {
            Scheme = scheme,
            Issuer = token.Issuer,
            Subject = token.Subject,
            NotBefore = new DateTimeOffset(token.ValidFrom, TimeSpan.Zero),
            ExpiresAt = new DateTimeOffset(token.ValidTo, TimeSpan.Zero),
            Organizations = Organizations(payload),
            Roles = roleClaims.SelectMany(claim => Words(payload, claim, splits: false)).ToFrozenSet(StringComparer.Ordinal),
            Scopes = scopeClaims.SelectMany(claim => Words(payload, claim, splits: true)).ToFrozenSet(StringComparer.Ordinal),
        };
    }

    // RFC 9068 types access tokens; Cognito and Keycloak say it in a claim; else the claims that OpenID Connect Core defines for ID tokens alone tell one.
    private static bool IsIdToken(JsonWebToken token, JsonElement payload)
    {
        var use = Text(payload, "token_use") ?? Text(payload, "typ");
        // What says of itself that it is an ID token is one, whatever its header says.
        if (use is "id" or "ID") return true;
        if (use is "access" or "Bearer" || ((string[])["at+jwt", "application/at+jwt"]).Contains(token.Typ, StringComparer.OrdinalIgnoreCase)) return false;
        return ((string[])["nonce", "at_hash", "c_hash", "s_hash"]).Any(claim => payload.TryGetProperty(claim, out _));
    }

    private FrozenSet<string> Organizations(JsonElement payload)
    {
        if (organizations is not { Claim: { } claim } || !payload.TryGetProperty(claim, out var value)) return [];
        var named = organizations.Format switch
        {
            OrganizationClaimFormat.Array => Strings(value),
            OrganizationClaimFormat.Single => value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [],
            OrganizationClaimFormat.Spaces => Split(value, ' '),
            OrganizationClaimFormat.Commas => Split(value, ','),
            OrganizationClaimFormat.Json => Embedded(value),
            _ => [],
        };
        return named
            .Where(name => ids.TryParse(name, out _) && (organizations.Only?.Contains(name, StringComparer.Ordinal) ?? true) && (only?.Contains(name, StringComparer.Ordinal) ?? true))
            .ToFrozenSet(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Strings(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? value.EnumerateArray().Select(item => item.GetString()!)
            : [];

    // Spaces around commas are how people write lists; other white space belongs to no format.
    private static IEnumerable<string> Split(JsonElement value, char separator) =>
        value.ValueKind == JsonValueKind.String
            ? value.GetString()!.Split(separator, StringSplitOptions.RemoveEmptyEntries).Select(part => part.Trim(' '))
            : [];

    private static IEnumerable<string> Embedded(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return [];
        try
        {
            using var document = JsonDocument.Parse(value.GetString()!);
            return [.. Strings(document.RootElement)];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static IEnumerable<string> Words(JsonElement payload, string claim, bool splits) =>
        !payload.TryGetProperty(claim, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? Strings(value)
        : splits ? Split(value, ' ')
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : [];

    private static string? Text(JsonElement payload, string claim) =>
        payload.TryGetProperty(claim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
