using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.LoadBalancing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Routes;

/// <summary>
/// If a destination's host is a name in the section <c>Services</c>, replaces the destination with one for each address there. Any other host is left to
/// DNS, which is resolved for each new connection rather than once per reload. YARP resolves destinations again whenever a snapshot is published.
/// </summary>
internal sealed class NamedServices(SnapshotConfigurationProvider snapshots) : IDestinationResolver
{
    public ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var options = snapshots.Current.Options;
        var resolved = destinations.SelectMany(destination => Resolve(options, destination.Key, destination.Value))
            .DistinctBy(static destination => destination.Name, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(static destination => destination.Name, static destination => destination.Config, StringComparer.OrdinalIgnoreCase);
        return new(new ResolvedDestinationCollection(resolved, null));
    }

    /// <summary>Returns the destinations that replace a destination, each with its name; the destination itself if its host is not a service's name.</summary>
    public static IEnumerable<(string Name, DestinationConfig Config)> Resolve(GatewayOptions options, string name, DestinationConfig destination)
    {
        var address = new Uri(destination.Address);
        if (options.ServiceOf(address.Host) is not { } service) return [(name, destination)];
        return (address.Scheme == Uri.UriSchemeHttps ? service.Https : service.Http).Select(authority => ($"{name}[{authority}]", destination with
        {
            Address = WithAuthority(destination.Address, authority),
            Metadata = new Dictionary<string, string>(destination.Metadata ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase)
            {
                [DestinationWeight.NameKey] = name,
            },
            Health = string.IsNullOrEmpty(destination.Health) ? destination.Health : HealthOf(options, service, destination.Health, authority),
        }));
    }

    // An address for health checks may have a port of its own, or be elsewhere.
    private static string HealthOf(GatewayOptions options, ServiceOptions service, string health, string authority)
    {
        var uri = new Uri(health);
        if (options.ServiceOf(uri.Host) != service) return health;
        return WithAuthority(health, uri.IsDefaultPort ? authority : $"{new Uri($"{uri.Scheme}://{authority}").Host}:{uri.Port}");
    }

    // The path stays as it is written: a URI would unescape and escape it.
    private static string WithAuthority(string address, string authority)
    {
        var start = address.IndexOf("//", StringComparison.Ordinal) + 2;
        var path = address.IndexOf('/', start);
        return $"{address[..start]}{authority}{(path < 0 ? "" : address[path..])}";
    }
}
