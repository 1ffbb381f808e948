using System.Buffers;
using System.Globalization;
using System.Text;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>
/// Rejects ambiguous requests before any decision depends on the path: a target that a service could read as another path than the authorized one, a request
/// that a service could read as another request or as two, and a method that is not allowed on any route.
/// </summary>
internal sealed class RequestGuard(RequestDelegate next, IReadOnlyList<string> methods)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    // Characters that Unicode's compatibility forms, or Windows code pages, map to one of / \ % ; ? #. Currency signs are not among them, although code pages
    // of East Asia map some to \: they are harmless except beside dots.
    private static readonly SearchValues<char> s_separators = SearchValues.Create(
        "\u037e\u066a\u2044\u2047\u2048\u2049\u2100\u2101\u2105\u2106\u2215\u2216\u29f5\u29f8"
        + "\u215f\ufe14\ufe16\ufe54\ufe56\ufe5f\ufe68\ufe6a\uff03\uff05\uff0f\uff1b\uff1f\uff3c");

    private static readonly SearchValues<char> s_plain = SearchValues.Create("/-_~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // Letters that some readers leave out, and marks that some read as a slash.
    private static readonly SearchValues<char> s_oddLetters = SearchValues.Create("\u0337\u0338\u20e5\u20eb\u115f\u1160\u3164\uffa0");

    private readonly string _allow = string.Join(", ", methods);

    public Task InvokeAsync(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        if (!IsUnambiguous(target))
        {
            var path = target.Split('?')[0];
            var isSlash = path.Contains("%2f", StringComparison.OrdinalIgnoreCase) || path.Contains("%5c", StringComparison.OrdinalIgnoreCase);
            return ErrorResponse.WriteAsync(context, StatusCodes.Status400BadRequest, isSlash ? GatewayReason.EncodedSlash : GatewayReason.Path);
        }

        if (!Framing.IsUnambiguous(context.Request))
        {
            // The start of the next request on this connection is unknown. HTTP/2 has frames, and no such header.
            if (!HttpProtocol.IsHttp2(context.Request.Protocol)) context.Response.Headers.Connection = "close";
            return ErrorResponse.WriteAsync(context, StatusCodes.Status400BadRequest, GatewayReason.Framing);
        }

        // Over HTTP/2 a WebSocket is a CONNECT; services receive the GET that it is over HTTP/1.1. Treat it as that GET.
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" }) context.Request.Method = HttpMethods.Get;
        if (methods.Contains(context.Request.Method, StringComparer.Ordinal)) return next(context);
        context.Response.Headers.Allow = _allow;
        return ErrorResponse.WriteAsync(context, StatusCodes.Status405MethodNotAllowed, ErrorReason.Method);
    }

    /// <summary>
    /// Whether every server reads the same path from a request target as sent. An absolute-form target is for proxies, which this gateway is not.
    /// </summary>
    internal static bool IsUnambiguous(ReadOnlySpan<char> target)
    {
        if (target is "*") return true;
        if (target.IsEmpty || target[0] != '/' || target.Contains('#') || target.ContainsAnyExceptInRange('!', '~')) return false;
        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        // The fast path for most requests: nothing to decode, no dots, no empty segment.
        if (!path.ContainsAnyExcept(s_plain)) return !path.Contains("//", StringComparison.Ordinal);

        Span<byte> small = stackalloc byte[512];
        var rented = path.Length > small.Length ? ArrayPool<byte>.Shared.Rent(path.Length) : null;
        try
        {
            var decoded = rented ?? small;
            return TryDecode(path, decoded, out var length) && IsPlain(decoded[..length]);
        }
        finally
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static bool TryDecode(ReadOnlySpan<char> path, Span<byte> decoded, out int length)
    {
        length = 0;
        for (var i = 0; i < path.Length; i++)
        {
            var value = (byte)path[i];
            if (value is (byte)'\\' or (byte)';') return false;
            if (value == '%')
            {
                if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2])) return false;
                value = Convert.FromHexString(path.Slice(i + 1, 2))[0];
                i += 2;
                // If an escape decodes to a separator, a parameter or another escape, a later decoder reads another path.
                if (value is (byte)'/' or (byte)'\\' or (byte)'%' or (byte)';' or (byte)'?' or (byte)'#') return false;
            }

            decoded[length++] = value;
        }

        return true;
    }

    private static bool IsPlain(ReadOnlySpan<byte> utf8)
    {
        string path;
        try
        {
            path = s_strictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            // Decoders disagree on overlong forms and incomplete characters.
            return false;
        }

        foreach (var character in path)
        {
            if (char.IsControl(character)) return false;
        }

        if (path.AsSpan().ContainsAny(s_separators)) return false;
        var rest = path.AsSpan(1);
        while (true)
        {
            var end = rest.IndexOf('/');
            var segment = end < 0 ? rest : rest[..end];
            // An empty segment is allowed only at the end, as a trailing slash.
            if (IsDotSegment(segment) || (segment.IsEmpty && end >= 0)) return false;
            if (end < 0) return true;
            rest = rest[(end + 1)..];
        }
    }

    /// <summary>
    /// Whether a decoded segment is one dot or two, or can be read so: as if a character were a separator, or were not there. Only ASCII, letters, numbers and
    /// the marks on them are read alike everywhere.
    /// </summary>
    internal static bool IsDotSegment(ReadOnlySpan<char> segment)
    {
        var (start, index, isText) = (0, 0, false);
        foreach (var character in segment.EnumerateRunes())
        {
            isText = IsText(character, isText);
            if (!isText && !character.IsAscii && DotsIn(segment[index]) == 0)
            {
                if (IsDots(segment[start..index])) return true;
                start = index + character.Utf16SequenceLength;
            }

            index += character.Utf16SequenceLength;
        }

        return IsDots(segment[start..]);
    }

    private static bool IsText(Rune character, bool followsText) =>
        !(character.IsBmp && s_oddLetters.Contains((char)character.Value)) && Rune.GetUnicodeCategory(character) switch
        {
            // A sentence may end in one of these marks, and a dot. No code page has them for a separator.
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.InitialQuotePunctuation
                or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation => followsText,
            _ => Rune.IsLetter(character) || Rune.IsNumber(character),
        };

    private static bool IsDots(ReadOnlySpan<char> text)
    {
        var dots = 0;
        foreach (var character in text)
        {
            var count = DotsIn(character);
            // Windows leaves spaces out beside dots.
            if (count == 0 && character != ' ') return false;
            dots += count;
        }

        return dots is 1 or 2;
    }

    // Compatibility forms, or internationalized host names, map these characters to dots.
    private static int DotsIn(char character) => character switch
    {
        '.' or '\u2024' or '\u3002' or '\ufe52' or '\uff0e' or '\uff61' => 1,
        '\u2025' or '\ufe30' => 2,
        '\u2026' or '\ufe19' => 3,
        _ => 0,
    };
}
