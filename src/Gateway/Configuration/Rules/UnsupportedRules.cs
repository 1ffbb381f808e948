namespace Gateway.Configuration.Rules;

/// <summary>What would be believed to protect and does not do so in this version.</summary>
internal static class UnsupportedRules
{
    private const string Advice = "This version does not support it yet. Remove it.";

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            var metadata = RouteMetadata.Of(route);
            if (metadata.IpAllow is not null) context.Error(RouteKey.Of(route, "Metadata:IpAllow"), $"would let in only some addresses. {Advice}");
            if (metadata.Retries != 0) context.Error(RouteKey.Of(route, "Metadata:Retries"), $"would repeat requests. {Advice}");
        }
    }
}
