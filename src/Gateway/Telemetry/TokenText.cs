namespace Gateway.Telemetry;

/// <summary>
/// Shows a token's issuer, audience, subject or key id. The sender chose the text, so it is shortened and on one line. Nothing of it is hidden, because ids
/// look like secrets and are none.
/// </summary>
internal static class TokenText
{
    private const int LongestShown = 200;

    /// <summary>The text in quotes, or <c>none</c>.</summary>
    public static string Quote(string? text) => text is null ? "none"
        : $"\"{string.Concat(text.Take(LongestShown).Select(static character => character is >= ' ' and <= '~' and not '"' ? character : '?'))}\"";
}
