using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>Reads <c>--A:B value</c>, <c>--A:B=value</c> and <c>A:B=value</c>.</summary>
internal static class CommandLineLayer
{
    private const string Source = "command line";

    /// <summary>The option that names the configuration folder.</summary>
    private const string Folder = "config";

    /// <summary>Returns the keys on the command line, and the folder that <c>--config</c> names.</summary>
    public static (ObjectNode Root, string? Folder) Read(IReadOnlyList<string> args, FindingList findings)
    {
        var tree = new TextTree(Source, findings);
        string? folder = null;
        for (var index = 0; index < args.Count; index++)
        {
            var isOption = args[index].StartsWith("--", StringComparison.Ordinal);
            var text = isOption ? args[index][2..] : args[index];
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0 && (!isOption || text.Length == 0))
            {
                // The argument's text may be part of a secret, so only its position is reported.
                findings.Error("", Source, $"argument {index + 1} is no key (a command and its own options are not counted). "
                    + "Write --KEY VALUE, --KEY=VALUE or KEY=VALUE; a command (check, explain, diff, doctor, api-key) stands first.");
                continue;
            }

            var key = equals > 0 ? text[..equals] : text;
            if (equals <= 0 && index + 1 == args.Count)
            {
                findings.Error(key, Source, "has no value. Write --KEY VALUE or --KEY=VALUE.");
                continue;
            }

            var value = equals > 0 ? text[(equals + 1)..] : args[++index];
            if (KeyPath.Equal(key, Folder)) folder = value;
            else tree.Set(key, value, Source, mayRepeat: true);
        }

        return (tree.Root, folder);
    }
}
