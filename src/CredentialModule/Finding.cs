using System.Globalization;
using System.Text;
using IotCredentials.Failures;

namespace IotCredentials;

/// <summary>The severity of a finding.</summary>
public enum Severity
{
    /// <summary>The configuration is rejected.</summary>
    Error,

    /// <summary>The configuration is used, but an operator should look at the finding.</summary>
    Warning,
}

/// <summary>One problem in a configuration.</summary>
/// <param name="Severity">The severity.</param>
/// <param name="Key">The key's path, or empty if the finding does not concern one key.</param>
/// <param name="Source">
/// The source of the value: a file and line, such as <c>appsettings.json:12</c>, a variable, or the command line. Empty if it is not known.
/// </param>
/// <param name="Message">The problem and the remedy, for an operator.</param>
public sealed record Finding(Severity Severity, string Key, string Source, string Message)
{
    private const int LongestQuote = 80;

    /// <summary>The rule of session policies or organization ids that is broken; null if the finding is about another rule.</summary>
    public string? Code { get; init; }

    /// <summary>Two organizations that collide, if the broken rule is about two organizations.</summary>
    internal PolicyCounterexample? Counterexample { get; init; }

    /// <summary>Returns the finding on one line. Control characters are escaped, because a file's names can contain any text.</summary>
    public override string ToString()
    {
        var severity = Severity == Severity.Error ? "error" : "warning";
        var key = Key.Length == 0 ? "" : $" {Key}";
        var source = Source.Length == 0 ? "" : $" ({Source})";
        return OneLine($"{severity}{key}{source}: {Message}");
    }

    /// <summary>Returns a value for use in a message: shortened, on one line, and with possible secrets hidden.</summary>
    public static string Quote(string value)
    {
        var shown = SecretText.Hide(value);
        return $"\"{OneLine(shown.Length <= LongestQuote ? shown : shown[..LongestQuote] + "…")}\"";
    }

    /// <summary>An error against a rule of <see cref="FindingCode"/>.</summary>
    internal static Finding Of(string code, string message, PolicyCounterexample? example = null) =>
        new(Severity.Error, "", "", message) { Code = code, Counterexample = example };

    private static string OneLine(string text)
    {
        if (!text.Any(char.IsControl)) return text;
        var line = new StringBuilder(text.Length);
        foreach (var character in text)
            if (char.IsControl(character)) line.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
            else line.Append(character);
        return line.ToString();
    }
}

/// <summary>Two organizations that a template cannot keep apart.</summary>
/// <param name="Reaching">The organization that reaches too far.</param>
/// <param name="ReachingResource">The resource, as written in the template, that it reaches with.</param>
/// <param name="Reached">The organization that it reaches.</param>
/// <param name="ReachedResource">The resource, as written in the template, that is meant for the other.</param>
/// <param name="Shared">
/// A client id, topic or shadow topic that both cover; null if none was found. Then the two are refused because the text after an id is not analyzed, not
/// because a collision is known.
/// </param>
internal sealed record PolicyCounterexample(
    OrganizationId Reaching, string ReachingResource, OrganizationId Reached, string ReachedResource, string? Shared);
