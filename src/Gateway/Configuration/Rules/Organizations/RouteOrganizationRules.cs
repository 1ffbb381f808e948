using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Schema;
using IotCredentials.Failures;
using IotCredentials.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Organizations;

/// <summary>Checks that an organization's routes are for its members only, unless a route explicitly opens them.</summary>
internal static class RouteOrganizationRules
{
    /// <summary>
    /// A module route, or a route that binds {organizationId}, names a policy with RequireOrganization and is never Anonymous. Only a forwarding
    /// route may set AnyOrganization instead. Any other route names no such policy, binds no parameter with a similar name, and is warned about if it
    /// is Anonymous.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            if (!RoutePath.IsBroken(route)) Check(context, route, RouteMetadata.Of(route));
    }

    private static void Check(RuleContext context, RouteConfig route, RouteMetadata metadata)
    {
        var isModule = metadata.Module is not null;
        var policy = route.AuthorizationPolicy is { } name ? context.Options.Authorization.Policies.GetValueOrDefault(name) : null;
        var key = RouteKey.Of(route, "AuthorizationPolicy");
        if (isModule && metadata.AnyOrganization)
            context.Error(RouteKey.Of(route, "Metadata:AnyOrganization"), "has no place on a module's route, which answers members only. Remove it.");

        if (!isModule && !RoutePath.BindsOrganization(route))
        {
            if (AuthorizationPolicyRules.IsAnonymous(route.AuthorizationPolicy)) context.Warning(key, "is Anonymous: the route is open to everybody.");
            // If the parameter's name were misspelled, the route would open an organization's resources to everyone.
            foreach (var parameter in RoutePath.Parse(route)?.Parameters ?? [])
                if (NearestName.Of(parameter.Name, [RouteOrganization.Parameter]) is { } meant)
                    context.Error(
                        RouteKey.Of(route, "Match:Path"), $"binds {{{parameter.Name}}}. Did you mean {{{meant}}}? If not, choose a name less like it.");

            if (policy?.RequireOrganization == true)
                context.Error(key,
                    $"is {Finding.Quote(route.AuthorizationPolicy!)}, which asks for an organization, and the path has no "
                    + "{organizationId}: nobody would meet it. Name another policy, or bind {organizationId}.");
            return;
        }

        if (AuthorizationPolicyRules.IsAnonymous(route.AuthorizationPolicy))
            context.Error(key, "is Anonymous on a route that belongs to an organization. Name a policy with RequireOrganization.");
        else if (policy is null && route.AuthorizationPolicy is not null && !AuthorizationPolicyRules.IsReserved(route.AuthorizationPolicy))
        {
            // RouteNameRules reports a name that does not exist.
        }
        else if (policy?.RequireOrganization != true && isModule)
            context.Error(key, "names no policy with RequireOrganization, and the module answers members only. Name one.");
        else if (policy?.RequireOrganization != true && !metadata.AnyOrganization)
            context.Error(key,
                "names no policy with RequireOrganization, though the path binds {organizationId}. "
                + "Name one, or if any caller may have any organization, write \"Metadata\": { \"AnyOrganization\": \"true\" }.");
    }
}
