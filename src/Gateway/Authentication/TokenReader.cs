using System.Buffers.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Gateway.Authentication;

/// <summary>Reads a validated token by its scheme's settings.</summary>
internal sealed class TokenReader
{
    // If a claim appears twice, the gateway could read one value and a service the other. Such a token is rejected.
    private static readonly JsonDocumentOptions s_once = new() { AllowDuplicateProperties = false };

    public required string Scheme { get; init; }

    public required ClaimReader Claims { get; init; }

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
        refusal = TokenKind.Refusal(header, payload, AcceptIdTokens, Claims.ScopeClaims[0], IsEntra)
            ?? (string.IsNullOrEmpty(token.Subject) ? "the token names no subject" : null);
        return refusal is not null ? null : new CallerIdentity(token.Issuer, token.Subject, new DateTimeOffset(token.ValidTo, TimeSpan.Zero))
        {
            Scheme = Scheme,
            NotBefore = new DateTimeOffset(token.ValidFrom, TimeSpan.Zero),
            Organizations = Claims.Organizations(payload),
            Roles = Claims.Roles(payload),
            Scopes = Claims.Scopes(payload),
        };
    }
}
