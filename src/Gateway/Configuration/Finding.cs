using System.Text;
using CredentialModule.Telemetry;

namespace Gateway.Configuration;

/// <summary>How grave a finding is.</summary>
internal enum Severity
{
    /// <summary>The configuration is not used.</summary>
    Error,

    /// <summary>The configuration is used, and an operator should know.</summary>
    Warning,
}

/// <summary>One thing that is wrong with the configuration.</summary>
/// <param name="Severity">How grave it is.</param>
/// <param name="Key">The key's path, or empty when a whole file is meant.</param>
/// <param name="Source">The file and line, such as <c>appsettings.json:12</c>, the variable or the command line that says it.</param>
/// <param name="Message">What is wrong, and what to write instead.</param>
internal sealed record Finding(Severity Severity, string Key, string Source, string Message)
{
    /// <summary>The finding as one line, whatever a file's names hold.</summary>
    public override string ToString()
    {
        var severity = Severity == Severity.Error ? "error" : "warning";
        var key = Key.Length == 0 ? "" : $" {Key}";
        return OneLine($"{severity}{key} ({Source}): {Message}");
    }

    /// <summary>A value as a message may show it: short, on one line, and without what may be a secret.</summary>
    public static string Quote(string value)
    {
        var shown = SecretText.Hide(value);
        return $"\"{OneLine(shown.Length <= 80 ? shown : shown[..80] + "…")}\"";
    }

    private static string OneLine(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        var line = new StringBuilder(text.Length);
        foreach (var character in text)
            if (char.IsControl(character)) line.Append(System.Globalization.CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else line.Append(character);
        return line.ToString();
    }
}
