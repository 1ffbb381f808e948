using System.Buffers;

namespace Gateway.Networking;

/// <summary>The syntax of methods, header names and cookie names (RFC 9110, section 5.6.2).</summary>
internal static class HttpToken
{
    /// <summary>The valid characters in words, for messages.</summary>
    public const string Form = "letters, digits and any of !#$%&'*+-.^_`|~";

    private static readonly SearchValues<char> s_characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether a text is a valid token.</summary>
    public static bool Is(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(s_characters);
}
