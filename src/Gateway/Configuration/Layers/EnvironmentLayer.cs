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

    private static bool Means(string name, ObjectShape root)
    {
        var end = name.IndexOf("__", StringComparison.Ordinal);
        if (end < 0) return root.Members.TryGetValue(name, out var member) && member.Shape is ScalarShape;
        var first = name[..end];
        return root.Members.ContainsKey(first) || NearestName.Of(first, root.Members.Keys) is not null;
    }
}
