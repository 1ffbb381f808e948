using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Schema;
using IotCredentials.Failures;
using IotCredentials.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks the targets of routes.</summary>
internal static class RouteTargetRules
{
    private static readonly string[] s_modules = [ModuleRoute.Name];

    /// <summary>
    /// A route has either a ClusterId or a Module, not both. A module route names a known module, binds {organizationId}, and names no methods.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (RouteMetadata.Of(route).Module is { } module) CheckModule(context, route, module);
            else if (string.IsNullOrEmpty(route.ClusterId))
                context.Error(RouteKey.Of(route, "ClusterId"),
                    "is required: the route leads nowhere. Name a cluster, or in Metadata a Module that answers.");
        }
    }

    private static void CheckModule(RuleContext context, RouteConfig route, string module)
    {
        if (!s_modules.Contains(module, StringComparer.Ordinal))
            context.Error(RouteKey.Of(route, "Metadata:Module"),
                $"is {Finding.Quote(module)}, which is no module. {NearestName.Advice(module, s_modules)}");
        if (route.ClusterId is not null)
            context.Error(RouteKey.Of(route, "ClusterId"),
                $"has no place on a route that the module {Finding.Quote(module)} answers. Remove it, or Metadata:Module.");
        if (route.Match.Methods is { Count: > 0 })
            context.Error(RouteKey.Of(route, "Match:Methods"),
                "has no place on a module's route: other methods would fall to the next route that matches, where the module itself "
                + "answers 405. Remove it.");
        if (!RoutePath.BindsOrganization(route) && !RoutePath.IsBroken(route))
            context.Error(RouteKey.Of(route, "Match:Path"),
                "has no {organizationId}, so the module cannot know for whom it answers. "
                + "Write such as \"/organizations/{organizationId}/iot-endpoint-and-credentials\".");
    }
}
