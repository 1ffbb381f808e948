namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks <c>AllowedHosts</c>.</summary>
internal static class AllowedHostsRules
{
    private const string Key = "AllowedHosts";

    /// <summary>Each item of AllowedHosts is <c>*</c>, a host, or <c>*.</c> followed by a host, without a port.</summary>
    public static void Check(RuleContext context)
    {
        var hosts = context.Options.AllowedHosts?.Split(';', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (hosts is [] && context.Snapshot.Values.ContainsKey(Key))
            context.Error(Key, "names no host. Write hosts such as \"api.example.com;*.example.org\", or leave the key out for any.");
        foreach (var host in hosts)
        {
            if (host is "0.0.0.0" or "[::]")
                context.Error(Key, $"holds {Finding.Quote(host)}, which ASP.NET Core takes for any host. Write \"*\" for any host, or the hosts' names.");
            else if (host != "*" && Uri.CheckHostName(host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host) == UriHostNameType.Unknown)
                context.Error(Key,
                    $"holds {Finding.Quote(host)}, which is not a host. "
                    + "Write hosts without a port, separated by \";\", such as \"api.example.com;*.example.org\".");
        }
    }
}
