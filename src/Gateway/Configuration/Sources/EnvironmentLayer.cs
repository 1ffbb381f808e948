using Gateway.Configuration.Schema;
using Gateway.Configuration.Tree;
using IotCredentials.Failures;

namespace Gateway.Configuration.Sources;

/// <summary>Reads the environment variables that are meant for the gateway.</summary>
internal static class EnvironmentLayer
{
    /// <summary>The prefix of OpenTelemetry's own variables, which OpenTelemetry looks up in the configuration.</summary>
    public const string TelemetryPrefix = "OTEL_";

    /// <summary>
    /// Reads the variables whose first name is a section of the root, or so similar to one that a typo is more likely than an unrelated variable.
    /// </summary>
    public static ObjectNode Read(IReadOnlyDictionary<string, string?> variables, ObjectSchema root, FindingList findings)
    {
        var tree = new TextTree("environment", findings);
        foreach (var (name, value) in variables.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (value is not null && IsRead(name, root)) tree.Set(KeyOf(name), value, SourceOf(name), mayRepeat: false);
        }

        return tree.Root;
    }

    /// <summary>Returns a variable's source, as findings show it.</summary>
    public static string SourceOf(string name) => $"environment variable {name}";

    /// <summary>Whether a variable's name is a key of the root, or a key below one of its sections.</summary>
    public static bool Names(string name, ObjectSchema root) =>
        FirstOf(name) is { } first ? root.Members.ContainsKey(first) : root.Members.TryGetValue(name, out var member) && member.Schema is ScalarSchema;

    /// <summary>Whether a variable is read as a key: an unknown one is an error then.</summary>
    public static bool IsRead(string name, ObjectSchema root) => !name.StartsWith(TelemetryPrefix, StringComparison.OrdinalIgnoreCase)
        && (Names(name, root) || (FirstOf(name) is { } first && NearestName.Of(first, root.Members.Keys) is not null));

    private static string? FirstOf(string name) => KeyOf(name).IndexOf(':', StringComparison.Ordinal) is >= 0 and var end ? KeyOf(name)[..end] : null;

    // Shells cannot set a variable whose name has a colon, but container platforms can.
    private static string KeyOf(string name) => name.Replace("__", ":", StringComparison.Ordinal);
}
