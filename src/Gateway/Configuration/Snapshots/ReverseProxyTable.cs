using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Snapshots;

/// <summary>Reads routes and clusters with YARP's own reader, so that YARP can load every configuration that is accepted here.</summary>
internal sealed record ReverseProxyTable(IReadOnlyList<RouteConfig> Routes, IReadOnlyList<ClusterConfig> Clusters)
{
    private const string Section = "ReverseProxy";

    /// <summary>Reads the ReverseProxy section from a snapshot's values.</summary>
    public static ReverseProxyTable Read(Snapshot snapshot, FindingList findings)
    {
        using var configuration = new ConfigurationRoot([new SnapshotConfigurationProvider(snapshot)]);
        return TryRead(configuration, out _) ?? ReadOneByOne(snapshot, findings);
    }

    private static ReverseProxyTable? TryRead(ConfigurationRoot configuration, out string problem)
    {
        problem = "";
        try
        {
            var yarp = new Reader();
            yarp.LoadFromConfig(configuration.GetSection(Section));
            using var services = yarp.Services.BuildServiceProvider();
            var table = services.GetRequiredService<IProxyConfigProvider>().GetConfig();
            return new(table.Routes, table.Clusters);
        }
        catch (Exception exception)
        {
            problem = Parts.Text(exception);
            return null;
        }
    }

    // YARP stops at the first value that it cannot read and does not report its key.
    private static ReverseProxyTable ReadOneByOne(Snapshot snapshot, FindingList findings)
    {
        var (routes, clusters) = (new List<RouteConfig>(), new List<ClusterConfig>());
        foreach (var one in snapshot.Values.Where(value => value.Key.Split(':') is [Section, _, _, _, ..])
            .GroupBy(value => string.Join(':', value.Key.Split(':').Take(3)), StringComparer.OrdinalIgnoreCase))
        {
            var values = one.ToList();
            var table = TryRead(values, out var problem);
            if (table is null && values.RemoveAll(value => IsUnreadable(value, snapshot, findings)) > 0) table = TryRead(values, out problem);
            if (table is null) findings.Error(one.Key, snapshot.SourceOf(one.Key), $"cannot be read: {problem} Correct it, or remove it.");
            routes.AddRange(table?.Routes ?? []);
            clusters.AddRange(table?.Clusters ?? []);
        }

        return new(routes, clusters);
    }

    private static ReverseProxyTable? TryRead(IEnumerable<KeyValuePair<string, string?>> values, out string problem)
    {
        using var configuration = (ConfigurationRoot)new ConfigurationBuilder().AddInMemoryCollection(values).Build();
        return TryRead(configuration, out problem);
    }

    private static bool IsUnreadable(KeyValuePair<string, string?> value, Snapshot snapshot, FindingList findings)
    {
        if (TryRead([value], out var problem) is not null) return false;
        findings.Error(value.Key, snapshot.SourceOf(value.Key), $"is {Finding.Quote(value.Value ?? "")}, which cannot be read: {problem} {Advice(value.Key)}");
        return true;
    }

    private static string Advice(string key) =>
        key.Contains(":SslProtocols", StringComparison.Ordinal) ? "Write Tls12 or Tls13." : key[(key.LastIndexOf(':') + 1)..] switch
        {
            "Version" => "Write 1.1, 2 or 3.",
            "Address" => "Write such as \"http://proxy.example.com:3128\".",
            "Order" or "MaxConnectionsPerServer" => $"Write a whole number up to {int.MaxValue}.",
            "RouteId" => "Remove it: a route is called by its key.",
            _ => "Write another value, or remove the key.",
        };

    // The minimal host that YARP's configuration reader needs.
    private sealed class Reader : IReverseProxyBuilder
    {
        public IServiceCollection Services { get; } = new ServiceCollection().AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
    }
}
