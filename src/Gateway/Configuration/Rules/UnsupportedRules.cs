namespace Gateway.Configuration.Rules;

/// <summary>What would be believed to protect and does not do so in this version.</summary>
internal static class UnsupportedRules
{
    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (RouteMetadata.Of(route).Retries != 0)
                context.Error(RouteKey.Of(route, "Metadata:Retries"), "would repeat requests. This version does not support it yet. Remove it.");
        }
    }
}
