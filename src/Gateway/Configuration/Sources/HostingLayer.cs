using System.Globalization;
using System.Net;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Reads the variables by which ASP.NET Core and its container images set the listening addresses. As in ASP.NET Core, files override them: any
/// source that sets <c>Urls</c> or <c>Kestrel:Endpoints</c> replaces them.
/// </summary>
internal static class HostingLayer
{
    private const string Urls = "Urls";

    // The .NET container images set this port by default, so it does not show an operator's intent.
    private const string ImagePort = "8080";

    private static readonly string[] s_prefixes = ["ASPNETCORE_", "DOTNET_"];

    // ASP.NET Core's own settings, by the name after the prefix, and the gateway key that replaces each.
    private static readonly Dictionary<string, string> s_replaced = new(StringComparer.OrdinalIgnoreCase)
    {
        ["FORWARDEDHEADERS_ENABLED"] = "Edge:TrustedProxies",
        ["SHUTDOWNTIMEOUTSECONDS"] = "Shutdown:Timeout",
    };

    /// <summary>Returns the layer. Address variables take precedence over port variables.</summary>
    public static ObjectNode Read(IReadOnlyDictionary<string, string?> variables, FindingList findings)
    {
        var root = new ObjectNode("environment", true);
        var used = Used(variables);
        foreach (var (name, value) in used)
            if (!IsAddresses(name) && PortsOf(value).FirstOrDefault(port => !IsPort(port)) is { } wrong)
                findings.Error(Urls, EnvironmentLayer.SourceOf(name),
                    $"holds {Finding.Quote(wrong)}, which is not a port. Write numbers up to {IPEndPoint.MaxPort}, separated by \";\", such as \"8080\".");
        if (used.Length > 0) root.Children[Urls] = new ScalarNode(EnvironmentLayer.SourceOf(used[0].Name), true,
            string.Join(';', used.Select(variable => AddressesOf(variable.Name, variable.Value))));
        return root;
    }

    /// <summary>Warns of variables that another source overrides.</summary>
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

    /// <summary>Warns of variables that ASP.NET Core's host would accept with their prefix, but that the gateway reads only without it.</summary>
    public static void WarnOfPrefixed(IReadOnlyDictionary<string, string?> variables, ObjectSchema root, FindingList findings)
    {
        foreach (var (name, value) in variables)
        {
            if (string.IsNullOrEmpty(value)
                || s_prefixes.FirstOrDefault(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) is not { } prefix) continue;
            var rest = name[prefix.Length..];
            if (s_replaced.TryGetValue(rest, out var key)) Warn(key, key);
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
        // If a variable is set with both prefixes, ASP.NET Core uses only the first.
        return [.. written.DistinctBy(variable => variable.Name[variable.Name.IndexOf('_', StringComparison.Ordinal)..], StringComparer.OrdinalIgnoreCase)];
    }

    private static string AddressesOf(string name, string ports)
    {
        if (IsAddresses(name)) return ports;
        var scheme = name.EndsWith("_HTTPS_PORTS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        return string.Join(';', PortsOf(ports).Select(port => $"{scheme}://*:{port}"));
    }

    private static IEnumerable<string> PortsOf(string ports) =>
        ports.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct();

    private static bool IsPort(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort;

    private static bool IsAddresses(string name) => name.EndsWith("_URLS", StringComparison.OrdinalIgnoreCase);

    // The order is ASP.NET Core's precedence.
    private static IEnumerable<(string Name, string Value)> Written(IReadOnlyDictionary<string, string?> variables) =>
        from suffix in (string[])["URLS", "HTTP_PORTS", "HTTPS_PORTS"]
        from prefix in s_prefixes
        from variable in variables
        where variable.Key.Equals(prefix + suffix, StringComparison.OrdinalIgnoreCase) && !string.IsNullOrWhiteSpace(variable.Value)
        select (variable.Key, variable.Value);
}
