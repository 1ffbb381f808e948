using System.Buffers;

namespace Gateway.Configuration.Rules;

/// <summary>The syntax of methods and header names (RFC 9110, section 5.6.2).</summary>
internal static class HttpToken
{
    private static readonly SearchValues<char> s_characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether a text is a valid token.</summary>
    public static bool Is(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(s_characters);
}
