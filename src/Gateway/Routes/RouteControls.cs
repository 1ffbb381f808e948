using Gateway.Configuration.Rules;
using Gateway.Configuration.Schema;
using Gateway.Cors;
using Gateway.Forwarding;
using Gateway.Forwarding.Headers;
using Gateway.Networking;
using Gateway.RateLimiting;
using IotCredentials.Http;
using Microsoft.AspNetCore.Cors;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>
/// Attaches each route's settings to its endpoint: the policy, the limits and the profiles themselves, not their names. A request keeps the endpoint
/// that it matched, so it is authorized and served by one configuration even if another is published during the request.
/// </summary>
internal static class RouteControls
{
    public static ReverseProxyConventionBuilder MapRouteControls(this ReverseProxyConventionBuilder endpoints, SnapshotRoutes routes) =>
        endpoints.ConfigureEndpoints((endpoint, route) =>
        {
            var table = routes.Current;
            endpoint.Add(builder => Attach((RouteEndpointBuilder)builder, table, table.Written(route.RouteId)));
        });

    private static void Attach(RouteEndpointBuilder endpoint, RouteTable table, RouteConfig route)
    {
        var policy = table.PolicyOf(route);
        endpoint.Metadata.Add(policy);
        if (table.Snapshot.Profiles is { } profiles) endpoint.Metadata.Add(profiles);
        AttachCors(endpoint, table, route.CorsPolicy);
        var metadata = RouteMetadata.Of(route);
        if (metadata.IpAllow is { } addresses) endpoint.Metadata.Add(new IpAllowList(addresses));
        endpoint.Metadata.Add(new ForwardedClientHeaders(route, table.Snapshot.Options.Authentication.KeyHeader));
        if (metadata.Retries > 0) endpoint.Metadata.Add(new RetryLimit(metadata.Retries));

        if (route.RateLimiterPolicy is { } name && table.Snapshot.Options.RateLimiting.Policies.GetValueOrDefault(name) is { } limit)
            endpoint.Metadata.Add(new RouteLimitMetadata(name, limit));

        if (endpoint.RoutePattern.GetParameter(RouteOrganization.Parameter) is null) return;
        if (!endpoint.Metadata.OfType<IRequestPrecondition>().Any()) endpoint.Metadata.Add(new OrganizationIdPrecondition());
        if (policy.Requirements.Contains(OrganizationAccessRequirement.Instance)) endpoint.Metadata.Add(new MembershipProven());
    }

    private static void AttachCors(RouteEndpointBuilder endpoint, RouteTable table, string? name)
    {
        if (name is null) return;
        if (ReservedPolicy.IsDisable(name)) endpoint.Metadata.Add(new DisableCorsAttribute());
        else endpoint.Metadata.Add(new CorsPolicyMetadata(CorsPolicies.Build(table.Snapshot.Options.Cors.Policies[name])));

        // Accept a preflight as well, which is matched by the method of the request that follows it.
        if (endpoint.Metadata.OfType<HttpMethodMetadata>().SingleOrDefault() is not { } methods) return;
        endpoint.Metadata.Remove(methods);
        endpoint.Metadata.Add(new HttpMethodMetadata(methods.HttpMethods, acceptCorsPreflight: true));
    }
}
