using IotCredentials.Failures;

namespace Gateway.Differences;

/// <summary>Shows settings without secrets.</summary>
internal static class SettingText
{
    private const int Longest = 200;

    /// <summary>A setting's value for a person; "none" without one.</summary>
    public static string Of(Setting? setting) =>
        setting is null ? "none" : setting.Text is { } text ? Shown(text) : "a section";

    /// <summary>The difference between two lists, or two values.</summary>
    public static string Difference(Setting? before, Setting? after)
    {
        if (before?.Value is not string[] && after?.Value is not string[]) return $"{Of(before)} → {Of(after)}";
        var (old, current) = (before?.Value as string[] ?? [], after?.Value as string[] ?? []);
        if (old.Length == 0 || current.Length == 0) return $"{Listed(old)} → {Listed(current)}";
        return Shown(string.Join(' ', current.Except(old).Select(static item => "+" + item).Concat(old.Except(current).Select(static item => "-" + item))));
    }

    /// <summary>A text in which no address has a user or a password.</summary>
    public static string WithoutUser(string text)
    {
        var at = text.LastIndexOf('@');
        var authority = at < 0 ? -1 : text.IndexOf("//", StringComparison.Ordinal);
        return authority < 0 || authority > at ? text : text[..(authority + 2)] + text[(at + 1)..];
    }

    /// <summary>A text without control characters.</summary>
    public static string OneLine(string text) => string.Concat(text.Select(static character => char.IsControl(character) ? '?' : character));

    private static string Listed(string[] list) => list.Length == 0 ? "none" : Shown(string.Join(' ', list));

    private static string Shown(string text)
    {
        text = OneLine(SecretText.HideInSentence(WithoutUser(text)));
        return text.Length == 0 ? "\"\"" : text.Length <= Longest ? text : text[..Longest] + "…";
    }
}
