using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Routes;

/// <summary>
/// If a destination's host is a name in the section <c>Services</c>, replaces the destination with the addresses there. Any other host is left to
/// DNS, which is resolved for each new connection rather than once per reload.
/// </summary>
internal sealed class NamedServices(IDestinationResolver resolver, SnapshotConfigurationProvider gate) : IDestinationResolver
{
    public async ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(
        IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken)
    {
        var options = gate.Current.Options;
        var named = destinations.Where(destination => options.ServiceOf(new Uri(destination.Value.Address).Host) is not null).ToDictionary();
        if (named.Count == 0) return new(destinations, null);
        var found = await resolver.ResolveDestinationsAsync(named, cancellationToken);
        return new(destinations.Where(destination => !named.ContainsKey(destination.Key)).Concat(found.Destinations).ToDictionary(), found.ChangeToken);
    }
}
