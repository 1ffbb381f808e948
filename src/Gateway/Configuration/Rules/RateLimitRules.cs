namespace Gateway.Configuration.Rules;

/// <summary>Checks the rate limits.</summary>
internal static class RateLimitRules
{
    private const string Policies = "RateLimiting:Policies";

    /// <summary>
    /// A policy has no reserved name, a PermitLimit of 1 or more, and a Window of at least 1 ms unless it limits concurrency. The store Redis needs a
    /// connection string, and whole seconds for fixed windows. The same bounds hold for Edge:FailedAuthentications.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var (name, policy) in context.Options.RateLimiting.Policies)
        {
            var key = $"{Policies}:{name}";
            if (ReservedPolicy.Is(name)) context.Error(key, ReservedPolicy.Message);
            CheckPositive(context, key, policy.PermitLimit);
            if (policy.Algorithm != RateLimitAlgorithm.Concurrency) CheckPositive(context, key, policy.Window);
            else if (policy.Window != TimeSpan.Zero)
                context.Warning($"{key}:Window", "has no effect with Algorithm Concurrency, which counts requests in flight. Remove it.");
            if (policy is { Store: RateLimitStore.Redis, Algorithm: RateLimitAlgorithm.FixedWindow } && policy.Window.Ticks % TimeSpan.TicksPerSecond != 0)
                context.Error($"{key}:Window", $"is {policy.Window}, and Redis counts fixed windows in whole seconds. Write such, or choose SlidingWindow.");
            if (policy.Store == RateLimitStore.Redis && context.Options.ConnectionStrings.Redis is null)
                context.Error($"{key}:Store", "is Redis, and ConnectionStrings:Redis is not given. Give it, or write Local.");
        }

        var failed = context.Options.Edge.FailedAuthentications;
        CheckPositive(context, "Edge:FailedAuthentications", failed.PermitLimit);
        CheckPositive(context, "Edge:FailedAuthentications", failed.Window);
    }

    private static void CheckPositive(RuleContext context, string key, int permitLimit)
    {
        if (permitLimit < 1) context.Error($"{key}:PermitLimit", $"is {permitLimit}. Write how many are let through, 1 or more.");
    }

    private static void CheckPositive(RuleContext context, string key, TimeSpan window)
    {
        if (window < TimeSpan.FromMilliseconds(1))
            context.Error($"{key}:Window", $"is {window}. Write the time that PermitLimit is for, such as \"00:00:01\".");
    }
}
