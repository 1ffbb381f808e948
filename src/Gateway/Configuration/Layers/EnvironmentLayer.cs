using CredentialModule.Policies;
using Gateway.Configuration.Shapes;

namespace Gateway.Configuration.Layers;

/// <summary>Reads those environment variables that mean the gateway.</summary>
internal static class EnvironmentLayer
{
    /// <summary>What OpenTelemetry's own variables begin with; it looks for them in the configuration.</summary>
    public const string TelemetryPrefix = "OTEL_";

    /// <summary>
    /// The variables whose first name is one of the root's sections, or so near that a slip is likelier than a stranger's
    /// variable.
    /// </summary>
    public static ObjectNode Read(IReadOnlyDictionary<string, string?> variables, ObjectShape root, FindingList findings)
    {
        var tree = new TextTree("environment", findings);
        foreach (var (name, value) in variables.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (value is null || name.StartsWith(TelemetryPrefix, StringComparison.OrdinalIgnoreCase)) continue;
            if (Means(name, root)) tree.Set(name.Replace("__", ":", StringComparison.Ordinal), value, SourceOf(name), mayRepeat: false);
        }

        return tree.Root;
    }

    /// <summary>How a variable is called in a finding.</summary>
    public static string SourceOf(string name) => $"environment variable {name}";

    /// <summary>Whether a variable's name is a key of the root, or one below its sections.</summary>
    public static bool Names(string name, ObjectShape root) =>
        FirstOf(name) is { } first ? root.Members.ContainsKey(first) : root.Members.TryGetValue(name, out var member) && member.Shape is ScalarShape;

    private static bool Means(string name, ObjectShape root) => Names(name, root) || (FirstOf(name) is { } first && NearestName.Of(first, root.Members.Keys) is not null);

    private static string? FirstOf(string name) => name.IndexOf("__", StringComparison.Ordinal) is >= 0 and var end ? name[..end] : null;
}
