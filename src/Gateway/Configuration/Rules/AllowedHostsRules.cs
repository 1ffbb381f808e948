namespace Gateway.Configuration.Rules;

/// <summary>The hosts that are answered are hosts.</summary>
internal static class AllowedHostsRules
{
    private const string Key = "AllowedHosts";

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var host in context.Options.AllowedHosts?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            if (host != "*" && Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host) == UriHostNameType.Unknown)
                context.Error(Key, $"holds {Finding.Quote(host)}, no host. Write hosts without a port, separated by \";\", such as \"api.example.com;*.example.org\".");
        }
    }
}
