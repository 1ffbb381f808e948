using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge;

/// <summary>
/// Keeps the header names that a request's <c>Connection</c> holds beside <c>close</c>, <c>keep-alive</c> or <c>upgrade</c>: these headers are for this hop alone
/// (RFC 9110, 7.6.1). Kestrel replaces the header by that word where it knows exactly one of the three in it, and keeps one in which it knows two, or none.
/// </summary>
internal static class ConnectionWords
{
    private const string Close = "close";
    private const string KeepAlive = "keep-alive";
    private const string Upgrade = "upgrade";

    private static readonly WordsEncoding s_words = new();

    /// <summary>Kestrel decodes the header by the encoding that is selected for it, and other headers as before.</summary>
    public static void Keep(KestrelServerOptions kestrel)
    {
        var others = kestrel.RequestHeaderEncodingSelector;
        kestrel.RequestHeaderEncodingSelector = name => name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase) ? s_words : others(name);
    }

    // To keep alive is HTTP/1.1's default, and close wins over it: nothing changes by the word. HTTP/1.0 needs it, and there names go with it alone.
    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        var value = Encoding.Latin1.GetString(bytes);
        var words = value.Split(',');
        if (words.Any(static word => Is(word, Close) || Is(word, Upgrade))) return $"{value}, {KeepAlive}";
        var others = words.Where(static word => !Is(word, KeepAlive)).ToArray();
        return Array.TrueForAll(others, string.IsNullOrWhiteSpace) ? value : string.Join(',', others);
    }

    private static bool Is(string word, string option) => word.AsSpan().Trim(" \t").Equals(option, StringComparison.OrdinalIgnoreCase);

    private sealed class WordsEncoding : Encoding
    {
        public override int GetCharCount(byte[] bytes, int index, int count) => Decode(bytes.AsSpan(index, count)).Length;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex)
        {
            var decoded = Decode(bytes.AsSpan(byteIndex, byteCount));
            decoded.CopyTo(chars.AsSpan(charIndex));
            return decoded.Length;
        }

        public override int GetMaxCharCount(int byteCount) => (2 * byteCount) + KeepAlive.Length + 2;

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => charCount;
    }
}
