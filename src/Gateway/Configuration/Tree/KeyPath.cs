using System.Globalization;

using IotCredentials.Failures;

namespace Gateway.Configuration.Tree;

/// <summary>Key paths, as <c>IConfiguration</c> writes and compares them.</summary>
internal static class KeyPath
{
    /// <summary>The section of the API keys.</summary>
    public const string ApiKeys = "Authentication:ApiKeys:Keys";

    private const int ShortestKey = 32;
    private const string Organizations = "IotCredentials:Organizations";

    /// <summary>Returns the path of a name below another path.</summary>
    public static string Combine(string path, string name) => path.Length == 0 ? name : $"{path}:{name}";

    /// <summary>Returns a path for messages. An API key may have been pasted in place of its name.</summary>
    public static string Shown(string path)
    {
        if (!path.StartsWith(ApiKeys + ":", StringComparison.OrdinalIgnoreCase)) return path;
        var (start, end) = (ApiKeys.Length + 1, path.IndexOf(':', ApiKeys.Length + 1));
        return path[..start] + ShownKeyName(end < 0 ? path[start..] : path[start..end]) + (end < 0 ? "" : path[end..]);
    }

    /// <summary>Returns an API key's name for messages. Shorter ones are names: an API key is long.</summary>
    public static string ShownKeyName(string name) => name.Length < ShortestKey ? name : SecretText.Hide(name);

    /// <summary>Returns a list item's name.</summary>
    public static string Index(int index) => index.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a text can be one name in a path: it is not empty and does not contain the separator.</summary>
    public static bool IsName(string name) => name.Length > 0 && !name.Contains(':', StringComparison.Ordinal);

    /// <summary>Whether two names are the same key. Case is ignored.</summary>
    public static bool Equal(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether two names are organizations whose ids differ only in case. Configuration keys cannot distinguish them.</summary>
    public static bool DifferByCaseOnly(string path, string one, string other) =>
        Equal(path, Organizations) && Equal(one, other) && !one.Equals(other, StringComparison.Ordinal);

    /// <summary>Returns the message for such names.</summary>
    public static string CaseMessage(string first, string second) =>
        $"differs only in case from {Finding.Quote(first)}, and configuration keys ignore case. "
        + $"Write one spelling; two organizations {Finding.Quote(first)} and {Finding.Quote(second)} cannot both have an entry.";
}
