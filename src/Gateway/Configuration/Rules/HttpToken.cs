using System.Buffers;

namespace Gateway.Configuration.Rules;

/// <summary>The form of methods and of headers' names (RFC 9110, section 5.6.2).</summary>
internal static class HttpToken
{
    private static readonly SearchValues<char> characters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether a text has the form.</summary>
    public static bool Is(string text) => text.Length > 0 && !text.AsSpan().ContainsAnyExcept(characters);
}
