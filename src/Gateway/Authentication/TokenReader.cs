using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Gateway.Authentication;

/// <summary>Reads a validated token by its scheme's settings.</summary>
internal sealed class TokenReader
{
    // If a claim appears twice, the gateway could read one value and a service the other. Such a token is rejected.
    private static readonly JsonDocumentOptions s_once = new() { AllowDuplicateProperties = false };

    // Issuers name the client that a token was issued to under different names: RFC 8693 and 9068, OpenID Connect, Okta, Microsoft.
    private static readonly string[] s_clientClaims = ["client_id", "azp", "cid", "appid"];

    public required string Scheme { get; init; }

    public required ClaimReader Claims { get; init; }

    /// <summary>The claim that names the caller, or the path to it.</summary>
    public string SubjectClaim { get; init; } = "sub";

    /// <summary>The clients that tokens may be issued to. Empty: any.</summary>
    public IReadOnlyList<string> ClientIds { get; init; } = [];

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
        var subject = ClaimReader.TryFind(payload, SubjectClaim, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        refusal = TokenKind.Refusal(header, payload, AcceptIdTokens, Claims.ScopeClaims[0], IsEntra)
            ?? ClientRefusal(payload)
            ?? (string.IsNullOrEmpty(subject) ? $"the token has no claim {SubjectClaim} (SubjectClaim)" : null)
            ?? (subject!.Length > CallerIdentity.LongestSubject
                ? $"the token's {SubjectClaim} is longer than {CallerIdentity.LongestSubject} characters"
                : null);
        return refusal is not null ? null : new CallerIdentity(token.Issuer, subject!, new DateTimeOffset(token.ValidTo, TimeSpan.Zero))
        {
            Scheme = Scheme,
            NotBefore = new DateTimeOffset(token.ValidFrom, TimeSpan.Zero),
            Organizations = Claims.Organizations(payload),
            Roles = Claims.Roles(payload),
            Scopes = Claims.Scopes(payload),
        };
    }

    private string? ClientRefusal(JsonElement payload)
    {
        if (ClientIds.Count == 0) return null;
        var isNamed = false;
        foreach (var claim in s_clientClaims)
        {
            if (!payload.TryGetProperty(claim, out var client)) continue;
            isNamed = true;
            if (client.ValueKind != JsonValueKind.String || !ClientIds.Contains(client.GetString(), StringComparer.Ordinal))
                return $"the token's {claim} is not one of {string.Join(", ", ClientIds)} (ClientIds)";
        }

        return isNamed ? null : $"the token has none of the claims {string.Join(", ", s_clientClaims)} (ClientIds)";
    }
}
