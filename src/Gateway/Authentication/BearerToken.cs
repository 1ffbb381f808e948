using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Gateway.Authentication;

/// <summary>The token of a request: the one <c>Authorization: Bearer</c> header, and nothing else.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <summary>Whether the request tried to authenticate by a bearer token, well or badly.</summary>
    public static bool WasSent(HttpRequest request)
    {
        foreach (var value in request.Headers.Authorization)
        {
            if (value is not null && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    /// <summary>The token; null when there is none, or more than one.</summary>
    public static ReadOnlyMemory<char>? Of(HttpRequest request) =>
        request.Headers.Authorization is [{ } header] && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header.AsMemory(Scheme.Length).Trim() : null;

    /// <summary>The issuer that a token names, unproven; null when there is no single issuer in it.</summary>
    public static string? ClaimedIssuer(ReadOnlySpan<char> token)
    {
        var start = token.IndexOf('.') + 1;
        var length = start > 0 ? token[start..].IndexOf('.') : -1;
        if (length <= 0) return null;

        var payload = token.Slice(start, length);
        var buffer = ArrayPool<byte>.Shared.Rent(Base64Url.GetMaxDecodedLength(length));
        try
        {
            return Base64Url.DecodeFromChars(payload, buffer, out _, out var written) == OperationStatus.Done
                ? IssuerIn(buffer.AsSpan(0, written))
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The second is what the reader throws for an escape of half a character.
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static string? IssuerIn(ReadOnlySpan<byte> payload)
    {
        var json = new Utf8JsonReader(payload);
        string? issuer = null;
        while (json.Read())
        {
            if (json.CurrentDepth != 1 || json.TokenType != JsonTokenType.PropertyName || !json.ValueTextEquals("iss"u8)) continue;
            json.Read();
            // A second issuer could be read by one and the first by another.
            if (issuer is not null || json.TokenType != JsonTokenType.String) return null;
            issuer = json.GetString();
        }

        return issuer;
    }
}
