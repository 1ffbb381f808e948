namespace Gateway.Configuration.Rules;

/// <summary>A request is sent again a few times at most, and only where there is somewhere to send it.</summary>
internal static class RetryRules
{
    private const int Most = 2;

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            var metadata = RouteMetadata.Of(route);
            if (metadata.Retries is < 0 or > Most)
                context.Error(RouteKey.Of(route, "Metadata:Retries"), $"is {metadata.Retries}. Write 0 to {Most}: each multiplies what a service that is in trouble gets.");
            else if (metadata is { Retries: > 0, Module: not null })
                context.Error(RouteKey.Of(route, "Metadata:Retries"), "has no place on a route that a module answers: nothing is sent to a service. Remove it.");
        }
    }
}
