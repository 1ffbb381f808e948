using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Gateway.Authentication;

/// <summary>Reads the token of a request: from a single <c>Authorization: Bearer</c> header, and nothing else.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <summary>Whether the request has a bearer token, well-formed or not.</summary>
    public static bool WasSent(HttpRequest request)
    {
        foreach (var value in request.Headers.Authorization)
        {
            if (value is not null && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>The token; null when there is none or more than one.</summary>
    public static ReadOnlyMemory<char>? Of(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? header.AsMemory(Scheme.Length).Trim()
            : null;

    /// <summary>
    /// Whether a token is a JSON Web Token, signed (RFC 7515) or encrypted (RFC 7516): three or five parts, of which the first is a JSON object. All others are
    /// opaque.
    /// </summary>
    public static bool IsJsonWebToken(ReadOnlySpan<char> token) =>
        token.Count('.') is 2 or 4 && TryReadText(token[..token.IndexOf('.')], "kid"u8, out _);

    /// <summary>The issuer that a token names, unproven; null when it does not name exactly one.</summary>
    public static string? ClaimedIssuer(ReadOnlySpan<char> token)
    {
        var start = token.IndexOf('.') + 1;
        var length = start > 0 ? token[start..].IndexOf('.') : -1;
        return length > 0 && TryReadText(token.Slice(start, length), "iss"u8, out var issuer) ? issuer : null;
    }

    /// <summary>The key id in a token's header, unproven; null when there is none.</summary>
    /// <returns>Whether the header can be read.</returns>
    public static bool TryReadKeyId(ReadOnlySpan<char> token, out string? keyId)
    {
        keyId = null;
        var length = token.IndexOf('.');
        return length > 0 && TryReadText(token[..length], "kid"u8, out keyId);
    }

    // Finds a string in the JSON object of one part. It fails if the member is not a string, or appears twice: one reader could take the first value, another
    // the second.
    private static bool TryReadText(ReadOnlySpan<char> part, ReadOnlySpan<byte> name, out string? text)
    {
        text = null;
        var buffer = ArrayPool<byte>.Shared.Rent(Base64Url.GetMaxDecodedLength(part.Length));
        try
        {
            if (Base64Url.DecodeFromChars(part, buffer, out _, out var written) != OperationStatus.Done) return false;
            var json = new Utf8JsonReader(buffer.AsSpan(0, written));
            while (json.Read())
            {
                if (json.CurrentDepth != 1 || json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals(name)) continue;
                json.Read();
                if (text is not null || json.TokenType != JsonTokenType.String) return false;
                text = json.GetString();
            }

            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The reader throws InvalidOperationException for an escaped half of a surrogate pair.
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
