using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge;

/// <summary>
/// Keeps the header names that a request's <c>Connection</c> lists beside <c>close</c>, <c>keep-alive</c> or <c>upgrade</c>: these headers are for this hop
/// alone (RFC 9110, 7.6.1). If Kestrel finds exactly one of the three words in the header, it replaces the header's value by that word; if it finds two or
/// none, it keeps the value.
/// </summary>
internal static class ConnectionWords
{
    private const string Close = "close";
    private const string KeepAlive = "keep-alive";
    private const string Upgrade = "upgrade";

    private static readonly WordsEncoding s_words = new();

    /// <summary>Selects an encoding that rewrites the value while Kestrel decodes the header. Other headers are decoded as before.</summary>
    public static void Keep(KestrelServerOptions kestrel)
    {
        var others = kestrel.RequestHeaderEncodingSelector;
        kestrel.RequestHeaderEncodingSelector = name => name.Equals(HeaderNames.Connection, StringComparison.OrdinalIgnoreCase) ? s_words : others(name);
    }

    // `keep-alive` is HTTP/1.1's default, and `close` wins over it, so the word can be added or removed without effect. An HTTP/1.0 connection is closed after
    // its response. Words are trimmed, because Kestrel does not recognize one with a tab around it.
    private static string Decode(ReadOnlySpan<byte> bytes)
    {
        var value = Encoding.Latin1.GetString(bytes);
        var words = new StringBuilder(value.Length);
        var isKnown = false;
        foreach (var range in value.AsSpan().Split(','))
        {
            var word = value.AsSpan(range).Trim(" \t");
            if (word.IsEmpty || Is(word, KeepAlive)) continue;
            isKnown |= Is(word, Close) || Is(word, Upgrade);
            words.Append(words.Length == 0 ? "" : ", ").Append(word);
        }

        return isKnown ? words.Append(", ").Append(KeepAlive).ToString() : words.ToString();
    }

    private static bool Is(ReadOnlySpan<char> word, string option) => word.Equals(option, StringComparison.OrdinalIgnoreCase);

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
