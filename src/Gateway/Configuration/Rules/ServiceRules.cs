namespace Gateway.Configuration.Rules;

/// <summary>Checks the section Services. Only the form of an address is checked; connections are made when requests arrive.</summary>
internal static class ServiceRules
{
    /// <summary>Each address of a named service is a host and a port.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var (name, service) in context.Options.Services)
        {
            Check(context, $"Services:{name}:Http", service.Http);
            Check(context, $"Services:{name}:Https", service.Https);
        }
    }

    private static void Check(RuleContext context, string key, IReadOnlyList<string> addresses)
    {
        for (var i = 0; i < addresses.Count; i++)
            if (!IsAddress(addresses[i]))
                context.Error($"{key}:{i}", $"is {Finding.Quote(addresses[i])}, which is not a host and port. Write such as \"10.0.0.7:5001\".");
    }

    private static bool IsAddress(string text) =>
        Uri.TryCreate($"any://{text}", UriKind.Absolute, out var uri) && uri.Port > 0 && uri.Host.Length > 0
            && uri.Authority.Equals(text, StringComparison.OrdinalIgnoreCase);
}
