namespace Gateway.Configuration.Rules;

/// <summary>Each scheme says whose tokens it takes, and for whom.</summary>
internal static class SchemeRules
{
    /// <summary>The name of the scheme that the section AzureAd stands for.</summary>
    public const string AzureAd = "AzureAd";

    private const string Schemes = "Authentication:Schemes";

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        var schemes = context.Options.Authentication.Schemes;
        if (schemes.Count == 0 && context.Options.AzureAd is null)
            context.Warning(Schemes, "names no scheme, so every request is answered 401. Add one with Authority and ValidAudiences.");
        foreach (var (name, scheme) in schemes) Check(context, $"{Schemes}:{name}", scheme);
        if (context.Options.AzureAd is not null && schemes.Keys.FirstOrDefault(IsAzureAd) is { } taken)
            context.Error($"{Schemes}:{taken}", "has the name of the scheme that the section AzureAd stands for. Choose another.");
    }

    /// <summary>Checks how a scheme reads organizations.</summary>
    public static void CheckOrganizations(RuleContext context, string key, OrganizationClaimOptions? organizations)
    {
        if (organizations is null) return;
        if (string.IsNullOrWhiteSpace(organizations.Claim))
            context.Error($"{key}:Claim", "is required with Organizations. Write the name of the claim that holds the caller's organizations.");
        OrganizationIdRules.CheckOnly(context, $"{key}:Only", organizations.Only);
    }

    private static void Check(RuleContext context, string key, SchemeOptions scheme)
    {
        if (string.IsNullOrEmpty(scheme.Authority))
            context.Error($"{key}:Authority", "is required. Write the OpenID provider's address, such as \"https://id.example.com\".");
        else
            CheckUri(context, $"{key}:Authority", scheme.Authority, scheme.RequireHttpsMetadata);

        for (var index = 0; index < scheme.ValidIssuers.Count; index++)
            if (scheme.ValidIssuers[index].Length == 0 || scheme.ValidIssuers[index].Any(char.IsControl))
                context.Error($"{key}:ValidIssuers:{index}", "is no issuer. Write it as tokens have it in \"iss\", letter for letter; it need not be an address.");

        if (scheme.ValidAudiences.Count == 0)
            context.Error($"{key}:ValidAudiences",
                "is required: a token for somebody else's API must not open this one. "
                + "Write what the provider puts into \"aud\", such as [ \"api://gateway\" ].");
        for (var index = 0; index < scheme.ValidAudiences.Count; index++)
            if (string.IsNullOrWhiteSpace(scheme.ValidAudiences[index]))
                context.Error($"{key}:ValidAudiences:{index}", "is empty. Write an audience, or remove the item.");

        foreach (var (name, claim) in new[] { ("RoleClaim", scheme.RoleClaim), ("ScopeClaim", scheme.ScopeClaim) })
            if (string.IsNullOrWhiteSpace(claim))
                context.Error($"{key}:{name}", "is empty. Write a claim's name, or leave the key out.");
        CheckOrganizations(context, $"{key}:Organizations", scheme.Organizations);
    }

    private static void CheckUri(RuleContext context, string key, string value, bool requireHttps)
    {
        if (!Uri.TryCreate(value, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
            context.Error(key, $"is {Finding.Quote(value)}, no absolute http or https address. Write one, such as \"https://id.example.com\".");
        else if (requireHttps && uri.Scheme != "https")
            context.Error(key,
                $"is {Finding.Quote(value)}, not https. Write an https address, or for a provider on this machine "
                + "\"RequireHttpsMetadata\": false.");
    }

    private static bool IsAzureAd(string name) => name.Equals(AzureAd, StringComparison.OrdinalIgnoreCase);
}
