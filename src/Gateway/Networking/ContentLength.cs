using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Gateway.Networking;

/// <summary>
/// Requires that a request's <c>Content-Length</c> consists of digits only (RFC 9110, 8.6). Kestrel alone would read <c>+5</c> as 5 and <c>-0</c> as 0, while a
/// server in front may see no length, and find the start of the next request elsewhere.
/// </summary>
internal static class ContentLength
{
    private static readonly DigitsEncoding s_digits = new();

    /// <summary>
    /// Rejects other lengths in Kestrel's parser, before the body is read: 400 and close over HTTP/1.1, a connection error over HTTP/2. It selects an encoding
    /// for this header. For all other headers Kestrel keeps its own.
    /// </summary>
    public static void Require(KestrelServerOptions kestrel) =>
        kestrel.RequestHeaderEncodingSelector = static name => name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) ? s_digits : null;

    /// <summary>Decodes digits unchanged, and every other byte as a character that no number contains.</summary>
    private sealed class DigitsEncoding : Encoding
    {
        private const char Refused = '?';

        public override int GetCharCount(byte[] bytes, int index, int count) => count;

        public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) =>
            GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

        // Kestrel passes space for one character more than the longest length, and rejects a length that fills it.
        public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
        {
            var length = Math.Min(bytes.Length, chars.Length);
            for (var i = 0; i < length; i++) chars[i] = char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : Refused;
            return length;
        }

        public override int GetMaxCharCount(int byteCount) => byteCount;

        public override int GetByteCount(char[] chars, int index, int count) => count;

        public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) =>
            Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

        public override int GetMaxByteCount(int charCount) => charCount;
    }
}
