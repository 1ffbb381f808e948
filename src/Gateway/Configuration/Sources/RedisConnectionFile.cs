using System.Text;
using Gateway.Configuration.Snapshots;
using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Reads <c>ConnectionStrings:Redis</c> from the file that <c>ConnectionStrings:RedisPath</c> names, because platforms mount secrets as files. No finding shows
/// any part of the file.
/// </summary>
internal static class RedisConnectionFile
{
    private const string Section = "ConnectionStrings";
    private const string Key = $"{Section}:RedisPath";

    /// <summary>Sets the connection string in the merged configuration, or reports why there is none.</summary>
    public static void Apply(ObjectNode merged, ConfigurationInput input, FindingList findings)
    {
        if (merged.Children.GetValueOrDefault(Section) is not ObjectNode section
            || section.Children.GetValueOrDefault("RedisPath") is not ScalarNode path) return;

        if (path.Value.Length == 0)
            findings.Error(Key, path.Source, "names no file. Name the file that holds the connection string, or remove the key.");
        else if (section.Children.GetValueOrDefault("Redis") is ScalarNode)
            findings.Error(Key, path.Source, $"is given beside {Section}:Redis. Remove one of them; null removes the value of an earlier file.");
        else if (path.Value.Contains('=', StringComparison.Ordinal) || path.Value.Contains("://", StringComparison.Ordinal))
            findings.Error(Key, path.Source, $"is a connection string itself. Write it as {Section}:Redis, or name the file that holds it.");
        else if (input.Read(path.Value, out var problem) is not { } content)
            findings.Error(Key, path.Source, $"names the file {Finding.Quote(path.Value)}, which {problem} Name a file that holds the connection string.");
        else if (Encoding.UTF8.GetString(content).Trim('\uFEFF', ' ', '\t', '\r', '\n') is var text && (text.Length == 0 || text.Any(char.IsControl)))
            findings.Error(Key, path.Source, $"names a file that does not hold one line of text. Write the connection string into it, and nothing else.");
        else
            section.Children["Redis"] = new ScalarNode(path.Source, true, text);
    }
}
