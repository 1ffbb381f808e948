using CredentialModule;
using CredentialModule.Http;
using Gateway.Configuration;
using Gateway.Configuration.Rules;
using Gateway.Cors;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.RateLimiting;
using Microsoft.AspNetCore.Cors;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>
/// Puts on every route's endpoint what the route's own configuration says: the policy, the limits, the profiles themselves and not their
/// names. A request keeps the endpoint that it was matched with, and so is judged and answered by one configuration, whatever is published
/// meanwhile.
/// </summary>
internal static class RouteControls
{
    public static ReverseProxyConventionBuilder MapRouteControls(this ReverseProxyConventionBuilder endpoints, PublishedRoutes routes) =>
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
        endpoint.Metadata.Add(new ForwardedClientHeaders(route));
        if (metadata.Retries > 0) endpoint.Metadata.Add(new RetryLimit(metadata.Retries));

        if (route.RateLimiterPolicy is { } name && table.Snapshot.Options.RateLimiting.Policies.GetValueOrDefault(name) is { } limit)
            endpoint.Metadata.Add(new RouteLimit(name, limit));

        if (endpoint.RoutePattern.GetParameter(RouteOrganization.Parameter) is null) return;
        if (!endpoint.Metadata.OfType<IRequestRule>().Any()) endpoint.Metadata.Add(new OrganizationIdRule());
        if (policy.Requirements.Contains(OrganizationAccessRequirement.Instance)) endpoint.Metadata.Add(new MembershipProven());
    }

    private static void AttachCors(RouteEndpointBuilder endpoint, RouteTable table, string? name)
    {
        if (name is null) return;
        if (ReservedPolicy.IsDisable(name)) endpoint.Metadata.Add(new DisableCorsAttribute());
        else endpoint.Metadata.Add(new CorsPolicyMetadata(CorsPolicies.Build(table.Snapshot.Options.Cors.Policies[name])));

        // A preflight asks for the method that it precedes.
        if (endpoint.Metadata.OfType<HttpMethodMetadata>().SingleOrDefault() is not { } methods) return;
        endpoint.Metadata.Remove(methods);
        endpoint.Metadata.Add(new HttpMethodMetadata(methods.HttpMethods, acceptCorsPreflight: true));
    }
}
