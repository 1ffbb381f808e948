using System.Buffers.Text;
using System.Collections.Frozen;
using System.Text.Json;
using Gateway.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Gateway.Authentication;

/// <summary>Reads a validated token by its scheme's settings. A claim in another format than the settings name is treated as missing.</summary>
internal sealed class TokenReader(OrganizationIdFormat ids)
{
    // If a claim appears twice, the gateway could read one value and a service the other. Such a token is rejected.
    private static readonly JsonDocumentOptions s_once = new() { AllowDuplicateProperties = false };

    public required string Scheme { get; init; }

    public OrganizationClaimOptions? OrganizationClaim { get; init; }

    /// <summary>The organizations that the tenant may speak for, in addition to the limit in the claim's own options. Null: any.</summary>
    public IReadOnlyList<string>? Only { get; init; }

    public required string RoleClaim { get; init; }

    public required IReadOnlyList<string> ScopeClaims { get; init; }

    public bool AcceptIdTokens { get; init; }

    /// <summary>Whether the issuer is Microsoft Entra ID, whose access tokens are recognized by other claims.</summary>
    public bool IsEntra { get; init; }

    /// <summary>The caller. Null, with the reason, when the gateway does not accept the token even though its signature is valid.</summary>
    public CallerIdentity? Read(JsonWebToken token, out string? refusal)
    {
        try
        {
            // JsonWebToken converts a claim to whatever type is requested. Only the payload itself shows how the claim was written.
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedHeader), s_once);
            using var payload = JsonDocument.Parse(Base64Url.DecodeFromChars(token.EncodedPayload), s_once);
            return Read(token, header.RootElement, payload.RootElement, out refusal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException is thrown for an escaped half of a surrogate pair.
            refusal = "the token's header or payload is ambiguous";
            return null;
        }
    }

    private CallerIdentity? Read(JsonWebToken token, JsonElement header, JsonElement payload, out string? refusal)
    {
        refusal = TokenKind.Refusal(header, payload, AcceptIdTokens, ScopeClaims[0], IsEntra)
            ?? (string.IsNullOrEmpty(token.Subject) ? "the token names no subject" : null);
        return refusal is not null ? null : new CallerIdentity(token.Issuer, token.Subject, new DateTimeOffset(token.ValidTo, TimeSpan.Zero))
        {
            Scheme = Scheme,
            NotBefore = new DateTimeOffset(token.ValidFrom, TimeSpan.Zero),
            Organizations = Organizations(payload),
            Roles = StringOrStrings(payload, RoleClaim, splits: false).ToFrozenSet(StringComparer.Ordinal),
            Scopes = ScopeClaims.SelectMany(claim => StringOrStrings(payload, claim, splits: true)).ToFrozenSet(StringComparer.Ordinal),
        };
    }

    private FrozenSet<string> Organizations(JsonElement payload)
    {
        if (OrganizationClaim is not { Claim: { } claim } || !payload.TryGetProperty(claim, out var value)) return [];
        var named = OrganizationClaim.Format switch
        {
            OrganizationClaimFormat.Array => Strings(value),
            OrganizationClaimFormat.Single => value.ValueKind == JsonValueKind.String ? [value.GetString()!] : [],
            OrganizationClaimFormat.Spaces => Split(value, ' '),
            OrganizationClaimFormat.Commas => Split(value, ','),
            OrganizationClaimFormat.Json => Embedded(value),
            _ => [],
        };
        return named
            .Where(name => ids.TryParse(name, out _) && (OrganizationClaim.Only?.Contains(name, StringComparer.Ordinal) ?? true)
                && (Only?.Contains(name, StringComparer.Ordinal) ?? true))
            .ToFrozenSet(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Strings(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? value.EnumerateArray().Select(item => item.GetString()!)
            : [];

    // People write lists with spaces around the commas. Other white space belongs to no format.
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

    private static IEnumerable<string> StringOrStrings(JsonElement payload, string claim, bool splits) =>
        !payload.TryGetProperty(claim, out var value) ? []
        : value.ValueKind == JsonValueKind.Array ? Strings(value)
        : splits ? Split(value, ' ')
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : [];
}
