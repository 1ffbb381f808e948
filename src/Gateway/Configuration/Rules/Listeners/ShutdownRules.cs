namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks the section Shutdown.</summary>
internal static class ShutdownRules
{
    /// <summary>Shutdown:Delay and Shutdown:Timeout are not negative.</summary>
    public static void Check(RuleContext context)
    {
        var shutdown = context.Options.Shutdown;
        foreach (var (name, time) in new[] { ("Delay", shutdown.Delay), ("Timeout", shutdown.Timeout) })
            if (time < TimeSpan.Zero)
                context.Error($"Shutdown:{name}", $"is {time}, less than nothing. Write \"00:00:00\" or more.");
    }
}
