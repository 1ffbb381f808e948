using System.Text;
using IotCredentials.Failures;

namespace Gateway.Configuration;

/// <summary>The severity of a finding.</summary>
internal enum Severity
{
    /// <summary>The configuration is rejected.</summary>
    Error,

    /// <summary>The configuration is used, but an operator should look at the finding.</summary>
    Warning,
}

/// <summary>One problem in the configuration.</summary>
/// <param name="Severity">The severity.</param>
/// <param name="Key">The key's path, or empty when the finding concerns a whole file.</param>
/// <param name="Source">The source of the value: a file and line, such as <c>appsettings.json:12</c>, a variable, or the command line.</param>
/// <param name="Message">The problem, and what to write instead.</param>
internal sealed record Finding(Severity Severity, string Key, string Source, string Message)
{
    /// <summary>Returns the finding on one line. Control characters are escaped, because a file's names can contain any text.</summary>
    public override string ToString()
    {
        var severity = Severity == Severity.Error ? "error" : "warning";
        var key = Key.Length == 0 ? "" : $" {Key}";
        return OneLine($"{severity}{key} ({Source}): {Message}");
    }

    /// <summary>Returns a value for use in a message: shortened, on one line, and with possible secrets hidden.</summary>
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
