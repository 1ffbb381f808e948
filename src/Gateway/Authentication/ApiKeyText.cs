using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Authentication;

/// <summary>
/// The text of an API key. A key of the gateway's own make is <c>igw_</c>, 43 characters of base64url (256 random bits), and the first 6 characters of the
/// base64url SHA-256 of what stands before: a mistyped or invented one is refused without a look-up. A key of another make is any visible ASCII text.
/// </summary>
internal static class ApiKeyText
{
    /// <summary>The beginning of keys of the gateway's own make.</summary>
    public const string Prefix = "igw_";

    /// <summary>The longest key, in characters. Nothing longer is hashed or sent on.</summary>
    public const int Longest = 512;

    private const int RandomBytes = 32;
    private const int RandomLength = 43;
    private const int ChecksumLength = 6;

    private static readonly SearchValues<char> s_visible = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(static code => (char)code)]);

    /// <summary>Creates a key.</summary>
    public static string Create()
    {
        var body = Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));
        return body + ChecksumOf(body);
    }

    /// <summary>Whether a text begins as keys of the gateway's own make do. If it is well-formed, too, nobody can guess it.</summary>
    public static bool IsOwn(ReadOnlySpan<char> key) => key.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a text has the length and the characters of a key.</summary>
    public static bool IsText(ReadOnlySpan<char> key) => key.Length is > 0 and <= Longest && !key.ContainsAnyExcept(s_visible);

    /// <summary>Whether a text can be a key: its length, its characters, and the checksum of a key of the gateway's own make.</summary>
    public static bool IsWellFormed(ReadOnlySpan<char> key)
    {
        if (!IsText(key)) return false;
        if (!IsOwn(key)) return true;
        if (key.Length != Prefix.Length + RandomLength + ChecksumLength) return false;
        var body = key[..^ChecksumLength];
        return Base64Url.IsValid(body[Prefix.Length..]) && key[^ChecksumLength..].SequenceEqual(ChecksumOf(body));
    }

    /// <summary>The hash of a key as the configuration writes it.</summary>
    public static string Sha256Of(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)));

    private static string ChecksumOf(ReadOnlySpan<char> body)
    {
        Span<byte> ascii = stackalloc byte[Prefix.Length + RandomLength];
        Encoding.ASCII.GetBytes(body, ascii);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ascii, hash);
        return Base64Url.EncodeToString(hash)[..ChecksumLength];
    }
}
