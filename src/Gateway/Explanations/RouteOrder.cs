using Microsoft.AspNetCore.Routing.Matching;
using Yarp.ReverseProxy.Model;

namespace Gateway.Explanations;

/// <summary>The routes' endpoints in ASP.NET Core's order of preference. The first one that matches a request takes it.</summary>
internal static class RouteOrder
{
    /// <summary>The endpoints of a gateway that is not started.</summary>
    public static IReadOnlyList<RouteEndpoint> Of(WebApplication gateway) =>
        Of(gateway.Services, ((IEndpointRouteBuilder)gateway).DataSources.SelectMany(source => source.Endpoints));

    /// <summary>Those of a running gateway's endpoints that are routes.</summary>
    public static IReadOnlyList<RouteEndpoint> Of(IServiceProvider gateway, IEnumerable<Endpoint> all)
    {
        var endpoints = all
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<RouteModel>() is not null)
            .OrderBy(endpoint => endpoint.Order)
            .ThenBy(endpoint => endpoint.RoutePattern.InboundPrecedence);
        // Ties are broken by methods, hosts, headers and query, each compared by its own matcher policy.
        foreach (var policy in gateway.GetServices<MatcherPolicy>().OrderBy(policy => policy.Order).OfType<IEndpointComparerPolicy>())
            endpoints = endpoints.ThenBy(endpoint => endpoint, policy.Comparer);
        return [.. endpoints.ThenBy(endpoint => endpoint.RoutePattern.RawText, StringComparer.OrdinalIgnoreCase)];
    }

    public static string RouteId(this Endpoint endpoint) => endpoint.Metadata.GetMetadata<RouteModel>()!.Config.RouteId;
}
