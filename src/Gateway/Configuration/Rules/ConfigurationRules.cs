namespace Gateway.Configuration.Rules;

/// <summary>What a configuration must hold to besides its shape. Start-up, reload and <c>check</c> ask the same list.</summary>
internal static class ConfigurationRules
{
    private static readonly Action<RuleContext>[] all =
    [
        UrlRules.Check,
        AllowedHostsRules.Check,
        LoggingRules.Check,
        SealingRules.Check,
        SchemeRules.Check,
        AzureAdRules.Check,
        IssuerRules.Check,
        AuthorizationPolicyRules.Check,
        RateLimitRules.Check,
        CorsRules.Check,
        CorsRouteRules.Check,
        EdgeRules.Check,
        KestrelLimitRules.Check,
        ShutdownRules.Check,
        RouteNameRules.Check,
        RouteTargetRules.Check,
        RouteOrganizationRules.Check,
        OrganizationReachRules.Check,
        RouteMatchRules.Check,
        RouteWildcardRules.Check,
        UnreachableRouteRules.Check,
        RouteTransformRules.Check,
        ForwardedHeaderRules.Check,
        RouteBoundRules.Check,
        RetryRules.Check,
        ClusterRules.Check,
        ServiceClientRules.Check,
        OwnListenerRules.Check,
        ServiceRules.Check,
        ExposureRules.Check,
        DurationRules.Check,
    ];

    /// <summary>Asks every rule.</summary>
    public static void Check(Snapshot snapshot, FindingList findings)
    {
        var context = new RuleContext(snapshot, findings);
        foreach (var rule in all) rule(context);
    }
}
