namespace Gateway.Configuration.Rules.Identity;

/// <summary>
/// Checks the issuers of all schemes. If two schemes had the same issuer, it would be undefined which scheme's settings apply to a token.
/// </summary>
internal static class IssuerRules
{
    /// <summary>Each issuer belongs to exactly one scheme.</summary>
    public static void Check(RuleContext context)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var issuer in context.Options.AzureAd?.Issuers ?? []) owners.TryAdd(Normalize(issuer), "AzureAd");
        foreach (var (name, scheme) in context.Options.Authentication.Schemes)
        {
            var section = $"Authentication:Schemes:{name}";
            for (var index = 0; index < scheme.Issuers.Count; index++)
            {
                if (owners.TryAdd(Normalize(scheme.Issuers[index]), section) || owners[Normalize(scheme.Issuers[index])] == section) continue;
                var key = scheme.ValidIssuers.Count > 0 ? $"{section}:ValidIssuers:{index}" : $"{section}:Authority";
                context.Error(key,
                    $"is {Finding.Quote(scheme.Issuers[index])}, an issuer of {owners[Normalize(scheme.Issuers[index])]} too. "
                    + "Leave it to one of the two.");
            }
        }
    }

    private static string Normalize(string issuer) => issuer.TrimEnd('/');
}
