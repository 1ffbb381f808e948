using System.Globalization;
using System.Net;
using Gateway.Configuration.Shapes;

namespace Gateway.Configuration.Layers;

/// <summary>
/// Reads the variables by which ASP.NET Core and its container images say where to listen. They are below the files, as they are there: whatever says
/// <c>Urls</c> or <c>Kestrel:Endpoints</c> replaces them.
/// </summary>
internal static class HostingLayer
{
    private const string Urls = "Urls";

    // What the container images of .NET set, and nobody chose.
    private const string ImagePort = "8080";

    private static readonly string[] prefixes = ["ASPNETCORE_", "DOTNET_"];

    // By what stands behind the prefix: ASP.NET Core's own settings that a key of the gateway stands for.
    private static readonly Dictionary<string, string> replaced = new(StringComparer.OrdinalIgnoreCase)
    {
        ["FORWARDEDHEADERS_ENABLED"] = "Edge:TrustedProxies",
        ["SHUTDOWNTIMEOUTSECONDS"] = "Shutdown:Timeout",
    };

    /// <summary>The layer: addresses before ports.</summary>
    public static ObjectNode Read(IReadOnlyDictionary<string, string?> variables, FindingList findings)
    {
        var root = new ObjectNode("environment", true);
        var used = Used(variables);
        foreach (var (name, value) in used)
            if (!IsAddresses(name) && PortsOf(value).FirstOrDefault(port => !IsPort(port)) is { } wrong)
                findings.Error(Urls, EnvironmentLayer.SourceOf(name),
                    $"holds {Finding.Quote(wrong)}, no port. Write numbers up to {IPEndPoint.MaxPort}, separated by \";\", such as \"8080\".");
        if (used.Length > 0) root.Children[Urls] = new ScalarNode(EnvironmentLayer.SourceOf(used[0].Name), true, string.Join(';', used.Select(variable => AddressesOf(variable.Name, variable.Value))));
        return root;
    }

    /// <summary>Warns of variables that another place's word replaces.</summary>
    public static void WarnOfUnused(IReadOnlyDictionary<string, string?> variables, ObjectNode merged, FindingList findings)
    {
        var written = merged.Children.GetValueOrDefault(Urls);
        var source = written?.Source;
        var reason = written is NullNode
            ? $"{source} says that {Urls} is null, and the gateway listens on {GatewayOptions.DefaultUrls}"
            : $"{source ?? "Kestrel:Endpoints"} says where the gateway listens";
        var used = Used(variables);
        var areUsed = used.Length > 0 && source == EnvironmentLayer.SourceOf(used[0].Name);
        foreach (var variable in Written(variables))
            if (variable.Value != ImagePort && !(areUsed && used.Contains(variable)))
                findings.Warning(Urls, EnvironmentLayer.SourceOf(variable.Name),
                    $"has no effect: {reason}. Remove the variable, or set the variable Urls, which replaces what the files say.");
    }

    /// <summary>Warns of variables that would set something were it not for their prefix, as the host of ASP.NET Core takes them.</summary>
    public static void WarnOfPrefixed(IReadOnlyDictionary<string, string?> variables, ObjectShape root, FindingList findings)
    {
        foreach (var (name, value) in variables)
        {
            if (string.IsNullOrEmpty(value) || prefixes.FirstOrDefault(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) is not { } prefix) continue;
            var rest = name[prefix.Length..];
            if (replaced.TryGetValue(rest, out var key)) Warn(key, key);
            else if (!KeyPath.Equal(rest, Urls) && EnvironmentLayer.Names(rest, root)) Warn(rest.Replace("__", ":", StringComparison.Ordinal), rest);

            void Warn(string key, string instead) =>
                findings.Warning(key, EnvironmentLayer.SourceOf(name), $"has no effect: write {instead} instead, or remove the variable.");
        }
    }

    private static (string Name, string Value)[] Used(IReadOnlyDictionary<string, string?> variables)
    {
        var written = Written(variables).ToArray();
        var addresses = Array.FindIndex(written, variable => IsAddresses(variable.Name));
        if (addresses >= 0) return [written[addresses]];
        // Of one kind, ASP.NET Core takes the first alone.
        return [.. written.DistinctBy(variable => variable.Name[variable.Name.IndexOf('_', StringComparison.Ordinal)..], StringComparer.OrdinalIgnoreCase)];
    }

    private static string AddressesOf(string name, string ports)
    {
        if (IsAddresses(name)) return ports;
        var scheme = name.EndsWith("_HTTPS_PORTS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        return string.Join(';', PortsOf(ports).Select(port => $"{scheme}://*:{port}"));
    }

    private static IEnumerable<string> PortsOf(string ports) => ports.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct();

    private static bool IsPort(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort;

    private static bool IsAddresses(string name) => name.EndsWith("_URLS", StringComparison.OrdinalIgnoreCase);

    // In the order in which ASP.NET Core prefers them.
    private static IEnumerable<(string Name, string Value)> Written(IReadOnlyDictionary<string, string?> variables) =>
        from suffix in (string[])["URLS", "HTTP_PORTS", "HTTPS_PORTS"]
        from prefix in prefixes
        from variable in variables
        where variable.Key.Equals(prefix + suffix, StringComparison.OrdinalIgnoreCase) && !string.IsNullOrWhiteSpace(variable.Value)
        select (variable.Key, variable.Value);
}
