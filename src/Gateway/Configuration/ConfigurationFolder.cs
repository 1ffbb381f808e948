using Gateway.Configuration.Layers;
using Gateway.Configuration.Rules;
using Gateway.Configuration.Shapes;

namespace Gateway.Configuration;

/// <summary>Reads the configuration: a folder's files, the environment and the command line, validated as a whole.</summary>
internal static class ConfigurationFolder
{
    /// <summary>The file that every folder has.</summary>
    public const string MainFile = "appsettings.json";

    /// <summary>The variable that names the folder.</summary>
    public const string Variable = "GATEWAY_CONFIG";

    private const string DefaultName = "appsettings";
    private const string Defaults = "default";

    /// <summary>Reads and validates. What is wrong is a finding, never an exception.</summary>
    /// <param name="args">The command line's keys, without a command's name or options.</param>
    /// <param name="environmentName">The environment, as in <c>appsettings.{Environment}.json</c>.</param>
    /// <param name="environmentVariables">The process's environment variables.</param>
    public static LoadResult Load(IReadOnlyList<string> args, string environmentName, IReadOnlyDictionary<string, string?> environmentVariables)
    {
        var findings = new FindingList();
        // What is wrong with the arguments themselves is said when they are read whole, below.
        var (_, option) = CommandLineLayer.Read(args, new FindingList());
        return Find(option, environmentVariables, findings) is { } folder
            ? Load(new Reading(folder, args, environmentName, environmentVariables), findings)
            : new(null, findings.ToOrdered(), findings.CannotRead, null);
    }

    /// <summary>Reads and validates a folder that was found.</summary>
    public static LoadResult Load(Reading reading, FindingList findings)
    {
        var (commandLine, _) = CommandLineLayer.Read(reading.Arguments, findings);
        var rows = new List<LayerRow>();
        var files = ReadFiles(reading, findings, rows);
        var variables = EnvironmentLayer.Read(reading.Variables, RootShape.Value, findings);
        rows.AddRange([LayerRow.Of("environment variables", variables), LayerRow.Of("command line", commandLine)]);
        ObjectNode[] layers = [HostingLayer.Read(reading.Variables, findings), .. files ?? [], variables, commandLine];
        var check = new ShapeCheck(findings);
        var merged = layers.Select(layer => check.Check(layer, RootShape.Value))
            .Aggregate((lower, upper) => LayerMerge.Merge(ListenerLayers.Below(lower, upper), upper, findings));
        HostingLayer.WarnOfUnused(reading.Variables, merged, findings);
        HostingLayer.WarnOfPrefixed(reading.Variables, RootShape.Value, findings);

        // Of a configuration that is known in part, the rules would say what the missing part disproves.
        if (files is null) return new(null, findings.ToOrdered(), findings.CannotRead, reading) { Layers = rows };

        var snapshot = CreateSnapshot(merged, reading, findings);
        ConfigurationRules.Check(snapshot, findings);
        return new(findings.HasErrors ? null : snapshot, findings.ToOrdered(), findings.CannotRead, reading) { Layers = rows };
    }

    private static string? Find(string? option, IReadOnlyDictionary<string, string?> variables, FindingList findings)
    {
        var (named, source) = option is not null ? (option, "--config")
            : variables.TryGetValue(Variable, out var value) && !string.IsNullOrEmpty(value) ? (value, EnvironmentLayer.SourceOf(Variable))
            : (null, "");
        string[] candidates = named is not null ? [named] : [DefaultName, Path.Combine(AppContext.BaseDirectory, DefaultName)];
        if (Array.Find(candidates, candidate => candidate.Length > 0 && Directory.Exists(candidate)) is { } found) return Path.GetFullPath(found);
        findings.Unreadable(
            named is not null ? source : "configuration folder",
            $"there is no folder {string.Join(" and no folder ", candidates.Select(Finding.Quote))}. "
            + $"Name the folder that holds {MainFile} with --config DIR or {Variable}.");
        return null;
    }

    private static List<ObjectNode>? ReadFiles(Reading reading, FindingList findings, List<LayerRow> rows)
    {
        var layers = new List<ObjectNode>();
        var failed = false;
        foreach (var name in new[] { MainFile, EnvironmentFile.NameOf(reading.EnvironmentName) })
        {
            // An environment's name is no path: one that leaves the folder names no file of it.
            if (Path.GetFileName(name) != name) continue;
            var content = reading.Read(name, out var problem);
            if (content is null && name != MainFile && !IsThere(reading.Folder, name))
            {
                rows.Add(LayerRow.Of(name, null));
                EnvironmentFile.WarnOfAbsence(reading, findings);
                continue;
            }

            if (content is null) findings.Unreadable(name, $"{problem} The folder is {Finding.Quote(reading.Folder)}.");
            var layer = content is null ? null : JsonLayer.Read(content, name, findings);
            failed |= layer is null;
            if (layer is null) continue;
            layers.Add(layer);
            rows.Add(LayerRow.Of(name, layer));
        }

        return failed ? null : layers;
    }

    private static bool IsThere(string folder, string name)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        return Path.Exists(file.FullName) || file.LinkTarget is not null;
    }

    private static Snapshot CreateSnapshot(ObjectNode merged, Reading reading, FindingList findings)
    {
        var options = OptionsBinder.Bind<GatewayOptions>(merged);
        var flat = new Flattening();
        flat.Add(merged, "");
        foreach (var (name, value) in reading.Variables)
            if (name.StartsWith(EnvironmentLayer.TelemetryPrefix, StringComparison.OrdinalIgnoreCase))
                flat.Add(name, value, EnvironmentLayer.SourceOf(name));

        // Kestrel's own default is another address, and it reads the configuration, not the options.
        if (!flat.Values.ContainsKey("Urls") && !flat.Values.Keys.Any(ListenerAddress.IsEndpoint)) flat.Add("Urls", options.Urls, Defaults);

        var snapshot = new Snapshot
        {
            Options = options,
            Routes = [],
            Clusters = [],
            Values = flat.Values,
            Sources = flat.Sources,
            Reading = reading,
            Profiles = null,
            Files = new Dictionary<string, ReadOnlyMemory<byte>>(),
        };
        var table = ReverseProxyTable.Read(snapshot, findings);
        snapshot = snapshot with { Routes = table.Routes, Clusters = table.Clusters, Files = TemplateFiles.Read(snapshot, findings) };
        return snapshot with { Profiles = IotCredentialsRules.Read(new RuleContext(snapshot, findings)) };
    }
}
