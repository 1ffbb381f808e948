using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Listeners;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Configuration.Sources;
using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Loading;

/// <summary>Loads the configuration from a folder's files, the environment and the command line, and validates it as a whole.</summary>
internal static class ConfigurationFolder
{
    /// <summary>The environment variable that names the folder.</summary>
    public const string Variable = "GATEWAY_CONFIG";

    private const string DefaultName = "appsettings";
    private const string Defaults = "default";

    /// <summary>Loads and validates the configuration. Problems are reported as findings, never as exceptions.</summary>
    /// <param name="args">The command line's keys, without a command's name or options.</param>
    /// <param name="environmentName">The environment, as in <c>appsettings.{Environment}.json</c>.</param>
    /// <param name="environmentVariables">The process's environment variables.</param>
    /// <param name="onRead">Called with the configuration before its rules are checked. It can be invalid then.</param>
    public static LoadResult Load(
        IReadOnlyList<string> args, string environmentName, IReadOnlyDictionary<string, string?> environmentVariables, Action<Snapshot>? onRead = null)
    {
        // Findings about the arguments are discarded here, because the second read below reports them.
        var (_, option) = CommandLineLayer.Read(args, new FindingList());
        return LoadFolder(option, args, environmentName, environmentVariables, onRead);
    }

    /// <summary>Loads a folder, or a file as if it were the main file of its folder: what is compared may be a copy of that file alone.</summary>
    public static LoadResult LoadFolderOrFile(
        string path, IReadOnlyList<string> args, string environmentName, IReadOnlyDictionary<string, string?> environmentVariables)
    {
        if (!File.Exists(path)) return LoadFolder(path, args, environmentName, environmentVariables, null);
        var (folder, file) = (Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path));
        return Load(new ConfigurationInput(folder, args, environmentName, environmentVariables) { MainFile = file }, new FindingList());
    }

    /// <summary>Loads the same folder again. The folder is not searched for a second time, so a reload never moves to another one.</summary>
    public static LoadResult Reload(ConfigurationInput input) =>
        Load(new ConfigurationInput(input.Folder, input.Arguments, input.EnvironmentName, input.Variables) { IsReload = true }, new FindingList());

    private static LoadResult LoadFolder(
        string? named, IReadOnlyList<string> args, string environmentName, IReadOnlyDictionary<string, string?> variables, Action<Snapshot>? onRead)
    {
        var findings = new FindingList();
        return Find(named, variables, findings) is { } folder
            ? Load(new ConfigurationInput(folder, args, environmentName, variables), findings, onRead)
            : new(null, findings.ToOrdered(), findings.CannotRead, null);
    }

    private static LoadResult Load(ConfigurationInput input, FindingList findings, Action<Snapshot>? onRead = null)
    {
        var (commandLine, _) = CommandLineLayer.Read(input.Arguments, findings);
        var rows = new List<LayerRow>();
        var files = ReadFiles(input, findings, rows);
        var variables = EnvironmentLayer.Read(input.Variables, RootSchema.Value, findings);
        rows.AddRange([LayerRow.Of("environment variables", variables), LayerRow.Of("command line", commandLine)]);
        ObjectNode[] layers = [HostingLayer.Read(input.Variables, findings), .. files ?? [], variables, commandLine];
        var check = new SchemaValidator(findings);
        var merged = layers.Select(layer => check.Check(layer, RootSchema.Value))
            .Aggregate((lower, upper) => LayerMerge.Merge(ListenerLayers.Below(lower, upper), upper, findings));
        RedisConnectionFile.Apply(merged, input, findings);
        HostingLayer.WarnOfUnused(input.Variables, merged, findings);
        HostingLayer.WarnOfPrefixed(input.Variables, RootSchema.Value, findings);
        EnvironmentNearMisses.Warn(input.Variables, RootSchema.Value, findings);

        // If a file could not be read, skip the rules: they would report errors that the missing file may resolve.
        if (files is null) return new(null, findings.ToOrdered(), findings.CannotRead, input) { Layers = rows };

        var snapshot = CreateSnapshot(merged, input, findings);
        onRead?.Invoke(snapshot);
        ConfigurationRules.Check(snapshot, findings);
        return new(findings.HasErrors ? null : snapshot, findings.ToOrdered(), findings.CannotRead, input) { Layers = rows };
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
            + $"Name the folder that holds {Snapshot.MainFile} with --config DIR or {Variable}.");
        return null;
    }

    private static List<ObjectNode>? ReadFiles(ConfigurationInput input, FindingList findings, List<LayerRow> rows)
    {
        var layers = new List<ObjectNode>();
        var failed = false;
        foreach (var name in new[] { input.MainFile, EnvironmentFile.NameOf(input.EnvironmentName) }.Distinct(StringComparer.Ordinal))
        {
            // The environment's name must not be a path: a name that leaves the folder is not a file of the configuration.
            if (Path.GetFileName(name) != name) continue;
            var content = input.Read(name, out var problem);
            if (content is null && name != input.MainFile && !IsThere(input.Folder, name))
            {
                rows.Add(LayerRow.Of(name, null));
                EnvironmentFile.WarnOfAbsence(input, findings);
                continue;
            }

            if (content is null) findings.Unreadable(name, $"{problem} The folder is {Finding.Quote(input.Folder)}.");
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

    private static Snapshot CreateSnapshot(ObjectNode merged, ConfigurationInput input, FindingList findings)
    {
        var options = OptionsBinder.Bind<GatewayOptions>(merged);
        var flat = new Flattening();
        flat.Add(merged, "");
        foreach (var (name, value) in input.Variables)
            if (name.StartsWith(EnvironmentLayer.TelemetryPrefix, StringComparison.OrdinalIgnoreCase))
                flat.Add(name, value, EnvironmentLayer.SourceOf(name));

        // Kestrel's default address is a different one, and Kestrel reads the configuration, not the options.
        if (!flat.Values.ContainsKey("Urls") && !flat.Values.Keys.Any(ListenerAddress.IsEndpoint)) flat.Add("Urls", options.Urls, Defaults);

        var snapshot = new Snapshot
        {
            Options = options,
            ApiKeys = merged.Nearest(KeyPath.ApiKeys),
            Routes = [],
            Clusters = [],
            Values = flat.Values,
            Sources = flat.Sources,
            Input = input,
            Profiles = null,
            Files = new Dictionary<string, ReadOnlyMemory<byte>>(),
        };
        var table = ReverseProxyTable.Read(snapshot, findings);
        snapshot = snapshot with { Routes = table.Routes, Clusters = table.Clusters, Files = TemplateFiles.Read(snapshot, findings) };
        return snapshot with { Profiles = IotCredentialsRules.Read(new RuleContext(snapshot, findings)) };
    }
}
