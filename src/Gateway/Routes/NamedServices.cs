using Gateway.Configuration;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Routes;

/// <summary>
/// Puts in the place of a destination whose host is a name of the section <c>Services</c> the addresses that stand there. Any other host is
/// left to DNS, which is asked whenever a connection is made, and not once at a reload.
/// </summary>
internal sealed class NamedServices(IDestinationResolver resolver, GatedConfigurationProvider gate) : IDestinationResolver
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
