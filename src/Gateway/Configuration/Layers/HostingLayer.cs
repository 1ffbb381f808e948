using System.Globalization;

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

    /// <summary>The layer: addresses before ports.</summary>
    public static ObjectNode Read(IReadOnlyDictionary<string, string?> variables)
    {
        var root = new ObjectNode("environment", true);
        var used = Used(variables);
        if (used.Length > 0) root.Children[Urls] = new ScalarNode(EnvironmentLayer.SourceOf(used[0].Name), true, string.Join(';', used.Select(variable => AddressesOf(variable.Name, variable.Value))));
        return root;
    }

    /// <summary>Warns of variables that another place's word replaces.</summary>
    public static void WarnOfUnused(IReadOnlyDictionary<string, string?> variables, ObjectNode merged, FindingList findings)
    {
        var source = merged.Children.GetValueOrDefault(Urls)?.Source;
        var used = Used(variables);
        var areUsed = used.Length > 0 && source == EnvironmentLayer.SourceOf(used[0].Name);
        foreach (var variable in Written(variables))
            if (variable.Value != ImagePort && !(areUsed && used.Contains(variable)))
                findings.Warning(Urls, EnvironmentLayer.SourceOf(variable.Name),
                    $"has no effect: {source ?? "Kestrel:Endpoints"} says where the gateway listens. Remove the variable, or set the variable Urls, which replaces what the files say.");
    }

    private static (string Name, string Value)[] Used(IReadOnlyDictionary<string, string?> variables)
    {
        var written = Written(variables).ToArray();
        var addresses = Array.FindIndex(written, variable => variable.Name.EndsWith("_URLS", StringComparison.OrdinalIgnoreCase));
        if (addresses >= 0) return [written[addresses]];
        // Of one kind, ASP.NET Core takes the first alone.
        return [.. written.DistinctBy(variable => variable.Name[variable.Name.IndexOf('_', StringComparison.Ordinal)..], StringComparer.OrdinalIgnoreCase)];
    }

    private static string AddressesOf(string name, string ports)
    {
        if (name.EndsWith("_URLS", StringComparison.OrdinalIgnoreCase)) return ports;
        var scheme = name.EndsWith("_HTTPS_PORTS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        var distinct = ports.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct();
        return string.Join(';', distinct.Select(port => string.Create(CultureInfo.InvariantCulture, $"{scheme}://*:{port}")));
    }

    // In the order in which ASP.NET Core prefers them.
    private static IEnumerable<(string Name, string Value)> Written(IReadOnlyDictionary<string, string?> variables) =>
        from suffix in (string[])["URLS", "HTTP_PORTS", "HTTPS_PORTS"]
        from prefix in prefixes
        from variable in variables
        where variable.Key.Equals(prefix + suffix, StringComparison.OrdinalIgnoreCase) && !string.IsNullOrWhiteSpace(variable.Value)
        select (variable.Key, variable.Value);
}
