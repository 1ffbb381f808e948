namespace Gateway.Configuration.Rules;

/// <summary>What a configuration must hold to besides its shape. Start-up, reload and <c>check</c> ask the same list.</summary>
internal static class ConfigurationRules
{
    private static readonly Action<RuleContext>[] all =
    [
        UrlRules.Check,
        SealingRules.Check,
        SchemeRules.Check,
        AzureAdRules.Check,
        IssuerRules.Check,
        AuthorizationPolicyRules.Check,
        RateLimitRules.Check,
        CorsRules.Check,
        EdgeRules.Check,
        KestrelLimitRules.Check,
        ShutdownRules.Check,
        RouteNameRules.Check,
        RouteTargetRules.Check,
        RouteOrganizationRules.Check,
        RouteMatchRules.Check,
        UnreachableRouteRules.Check,
        RouteTransformRules.Check,
        RouteBoundRules.Check,
        RetryRules.Check,
        ClusterRules.Check,
        DurationRules.Check,
    ];

    /// <summary>Asks every rule.</summary>
    public static void Check(Snapshot snapshot, FindingList findings)
    {
        var context = new RuleContext(snapshot, findings);
        foreach (var rule in all) rule(context);
    }
}
