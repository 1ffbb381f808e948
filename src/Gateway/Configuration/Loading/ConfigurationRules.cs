using Gateway.Configuration.DryRun;
using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Clusters;
using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Rules.Listeners;
using Gateway.Configuration.Rules.Organizations;
using Gateway.Configuration.Rules.Routes;
using Gateway.Configuration.Rules.Transforms;
using Gateway.Configuration.Snapshots;

namespace Gateway.Configuration.Loading;

/// <summary>The rules that a configuration must meet in addition to its schema. Start, reload and <c>check</c> use the same list.</summary>
internal static class ConfigurationRules
{
    private static readonly Action<RuleContext>[] s_all =
    [
        UrlRules.Check,
        AllowedHostsRules.Check,
        LoggingRules.Check,
        SealingRules.Check,
        SchemeRules.Check,
        AzureAdRules.Check,
        ApiKeyRules.Check,
        IntrospectionRules.Check,
        IssuerRules.Check,
        AwsIdentityRules.Check,
        AuthorizationPolicyRules.Check,
        RateLimitRules.Check,
        CorsRules.Check,
        CorsRouteRules.Check,
        EdgeRules.Check,
        KestrelLimitRules.Check,
        KestrelProtocolRules.Check,
        KestrelValueRules.Check,
        CertificateRules.Check,
        ServerNameRules.Check,
        ConsoleRules.Check,
        ShutdownRules.Check,
        TelemetryRules.Check,
        RouteNameRules.Check,
        RouteTargetRules.Check,
        RouteOrganizationRules.Check,
        OrganizationReachRules.Check,
        RouteMatchRules.Check,
        UnreachableRouteRules.Check,
        RouteTransformRules.Check,
        ForwardedHeaderRules.Check,
        RouteHostRules.Check,
        RouteConditionRules.Check,
        TransformRules.Check,
        TransformPathRules.Check,
        RouteWildcardRules.Check,
        RouteBoundRules.Check,
        RetryRules.Check,
        ClusterRules.Check,
        WeightRules.Check,
        ServiceClientRules.Check,
        OwnListenerRules.Check,
        ServiceRules.Check,
        ExposureRules.Check,
        DurationRules.Check,
        // The dry run is last, because it skips keys that earlier rules reported.
        ConfigurationDryRun.Check,
    ];

    /// <summary>Runs every rule.</summary>
    public static void Check(Snapshot snapshot, FindingList findings)
    {
        var context = new RuleContext(snapshot, findings);
        foreach (var rule in s_all)
        {
            try
            {
                rule(context);
            }
            catch (Exception exception)
            {
                // The message is left out because it can contain a value, and so a secret.
                findings.Unreadable("configuration",
                    $"cannot be examined to the end: {rule.Method.DeclaringType!.Name} failed with {exception.GetType().Name}. "
                    + "That is a fault of the gateway; undo the last change, and report it.");
            }
        }
    }
}
