namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the authentication schemes.</summary>
internal static class SchemeRules
{
    /// <summary>The name of the scheme that the section AzureAd defines.</summary>
    public const string AzureAd = "AzureAd";

    private const string Schemes = "Authentication:Schemes";
    private const string WellKnown = "/.well-known/";

    // A path is followed name by name, which takes time for each dot.
    private const int LongestClaim = 256;
    private static readonly TimeSpan s_longestClockSkew = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Each scheme has an absolute http or https Authority and MetadataAddress, https if RequireHttpsMetadata is set. It has at least one audience or client,
    /// and no empty issuer, audience, client or claim name. Its ClockSkew is 5 minutes at most. Its name is not that of the scheme that the section AzureAd
    /// defines. A configuration without any scheme is warned about.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var schemes = context.Options.Authentication.Schemes;
        if (schemes.Count == 0 && context.Options is { AzureAd: null, Authentication: { ApiKeys: null, Introspection: null } })
            context.Warning(Schemes, "names no scheme, so every request gets 401. Add one with Authority and ValidAudiences or ClientIds.");
        foreach (var (name, scheme) in schemes) Check(context, $"{Schemes}:{name}", scheme);
        if (context.Options.AzureAd is not null && schemes.Keys.FirstOrDefault(IsAzureAd) is { } taken)
            context.Error($"{Schemes}:{taken}", "has the name of the scheme that the section AzureAd stands for. Choose another.");
    }

    /// <summary>If Organizations is set, its Claim is not empty, and Only holds organization ids.</summary>
    public static void CheckOrganizations(RuleContext context, string key, OrganizationClaimOptions? organizations)
    {
        if (organizations is null) return;
        if (string.IsNullOrWhiteSpace(organizations.Claim))
            context.Error($"{key}:Claim", "is required with Organizations. Write the name of the claim that holds the caller's organizations.");
        CheckLength(context, $"{key}:Claim", organizations.Claim);
        OrganizationIdRules.CheckOnly(context, $"{key}:Only", organizations.Only);
    }

    /// <summary>An issuer's address is an absolute http or https address, and https if that is required. Returns it, or null after an error.</summary>
    public static Uri? CheckAddress(RuleContext context, string key, string address, bool requireHttps, string advice)
    {
        if (!HttpAddress.TryParse(address, out var uri))
            context.Error(key, $"is {Finding.Quote(address)}, {HttpAddress.Problem}. {advice}");
        else if (requireHttps && uri.Scheme != "https")
            context.Error(key,
                $"is {Finding.Quote(address)}, not https. Write an https address"
                + (ThisMachine.IsLoopback(uri.Host) ? ", or for a provider on this machine \"RequireHttpsMetadata\": false." : "."));
        else
            return uri;
        return null;
    }

    private static void Check(RuleContext context, string key, SchemeOptions scheme)
    {
        if (string.IsNullOrEmpty(scheme.Authority))
            context.Error($"{key}:Authority", "is required. Write the OpenID provider's address, such as \"https://id.example.com\".");
        else
            CheckAuthority(context, key, scheme, scheme.Authority);

        if (scheme.MetadataAddress is { } metadata)
            CheckAddress(context, $"{key}:MetadataAddress", metadata, scheme.RequireHttpsMetadata,
                "Write the discovery document's address, such as \"https://id.example.com/.well-known/openid-configuration\".");

        for (var index = 0; index < scheme.ValidIssuers.Count; index++)
            if (scheme.ValidIssuers[index].Length == 0 || scheme.ValidIssuers[index].Any(char.IsControl))
                context.Error($"{key}:ValidIssuers:{index}",
                    "is no issuer. Write it as tokens have it in \"iss\", letter for letter; it need not be an address.");

        (string, IReadOnlyList<string>)[] lists =
            [("ValidIssuers", scheme.ValidIssuers), ("ValidAudiences", scheme.ValidAudiences), ("ClientIds", scheme.ClientIds)];
        foreach (var (name, list) in lists)
            for (var index = 0; index < list.Count; index++)
                if (HasBlankAround(list[index]))
                    context.Error($"{key}:{name}:{index}",
                        $"is {Finding.Quote(list[index])}, with a blank at an end, and it is compared letter for letter. Remove the blank.");

        CheckAudience(context, key, scheme);
        foreach (var (name, claim) in new[] { ("RoleClaim", scheme.RoleClaim), ("ScopeClaim", scheme.ScopeClaim), ("SubjectClaim", scheme.SubjectClaim) })
        {
            if (string.IsNullOrWhiteSpace(claim))
                context.Error($"{key}:{name}", "is empty. Write a claim's name, or leave the key out.");
            CheckLength(context, $"{key}:{name}", claim);
        }

        if (scheme.ClockSkew < TimeSpan.Zero || scheme.ClockSkew > s_longestClockSkew)
            context.Error($"{key}:ClockSkew",
                $"is {scheme.ClockSkew}: an expired token would be accepted for that long. Write {s_longestClockSkew} at most, such as \"00:00:30\".");
        CheckOrganizations(context, $"{key}:Organizations", scheme.Organizations);
    }

    /// <summary>Whether a text starts or ends with white space. It is false for a blank text, and for one with control characters.</summary>
    public static bool HasBlankAround(string? text) => !string.IsNullOrWhiteSpace(text) && text.Trim() != text && !text.Any(char.IsControl);

    // Without an audience or a client, any token of the issuer would be accepted, whichever API and application it is for.
    private static void CheckAudience(RuleContext context, string key, SchemeOptions scheme)
    {
        if (scheme.ValidAudiences.Count == 0 && scheme.ClientIds.Count == 0)
            context.Error($"{key}:ValidAudiences",
                "is required, or ClientIds: a token for somebody else's API must not open this one. "
                + (ProviderRules.IsCognito(scheme.Authority)
                    ? "Access tokens of Amazon Cognito have no \"aud\": write the ids of the app clients as ClientIds."
                    : "Write what the provider puts into \"aud\", such as [ \"api://gateway\" ]. If its tokens have none, write their clients as ClientIds."));
        for (var index = 0; index < scheme.ValidAudiences.Count; index++)
            if (string.IsNullOrWhiteSpace(scheme.ValidAudiences[index]))
                context.Error($"{key}:ValidAudiences:{index}", "is empty. Write an audience, or remove the item.");
        for (var index = 0; index < scheme.ClientIds.Count; index++)
            if (string.IsNullOrWhiteSpace(scheme.ClientIds[index]))
                context.Error($"{key}:ClientIds:{index}", "is empty. Write a client's id, or remove the item.");
    }

    private static void CheckLength(RuleContext context, string key, string? claim)
    {
        if (claim?.Length > LongestClaim)
            context.Error(key, $"has {claim.Length} characters. Write the name of a claim, or the path to it, of {LongestClaim} at most.");
    }

    private static void CheckAuthority(RuleContext context, string section, SchemeOptions scheme, string authority)
    {
        var key = $"{section}:Authority";
        var uri = CheckAddress(context, key, authority, scheme.RequireHttpsMetadata, "Write one, such as \"https://id.example.com\".");
        if (uri is null || context.HasErrorAt(key)) return;
        if (authority.IndexOf(WellKnown, StringComparison.OrdinalIgnoreCase) is >= 0 and var end)
            context.Error(key,
                $"is {Finding.Quote(authority)}, a document's address, and another one would be looked for below it. "
                + $"Write what stands before {WellKnown}: {Finding.Quote(authority[..end])}.");
        else if (uri.Host.Equals(EntraCloud.Closed, StringComparison.OrdinalIgnoreCase))
            context.Error(key, $"is {Finding.Quote(authority)}, of a cloud that was closed in 2021. Write the address of the cloud that the tenant is in now.");
        else if (!EntraCloud.Has(uri.Host)) ProviderRules.Check(context, section, scheme, uri);
        else if (scheme.ValidIssuers.Count == 0) CheckTenant(context, key, authority, uri);
        else CheckTenantIssuers(context, section, scheme.ValidIssuers);
    }

    // The authority must contain the tenant's id, as tokens of Microsoft Entra ID do, and must be one of the tenant's issuers. Only one form of a
    // tenant's address is also its issuer.
    private static void CheckTenant(RuleContext context, string key, string authority, Uri uri)
    {
        var tenant = uri.Segments.ElementAtOrDefault(1)?.TrimEnd('/') ?? "";
        if (!Guid.TryParseExact(tenant, "D", out _))
            context.Error(key,
                $"is {Finding.Quote(authority)}, and tokens name their tenant by its id, so none would be accepted. "
                + "Write the tenant's id in it, list the tenants' issuers as ValidIssuers, "
                + "or write the section AzureAd, with Tenants for many.");
        else if (EntraCloud.IssuersOf($"https://{uri.Host}/", tenant.ToLowerInvariant()) is var issuers
            && !issuers.Contains(authority, StringComparer.Ordinal))
            context.Error(key,
                $"is {Finding.Quote(authority)}, which no token has as issuer, so none would be accepted. "
                + $"Write ValidIssuers beside it: {string.Join(" and ", issuers.Select(issuer => $"\"{issuer}\""))}.");
    }

    private static void CheckTenantIssuers(RuleContext context, string section, IReadOnlyList<string> issuers)
    {
        for (var index = 0; index < issuers.Count; index++)
        {
            if (!HttpAddress.TryParse(issuers[index], out var uri) || !EntraCloud.Has(uri.Host)) continue;
            var tenant = uri.Segments.ElementAtOrDefault(1)?.TrimEnd('/').ToLowerInvariant() ?? "";
            var key = $"{section}:ValidIssuers:{index}";
            if (!Guid.TryParseExact(tenant, "D", out _))
                context.Error(key,
                    $"is {Finding.Quote(issuers[index])}, and tokens name their tenant by its id, so none has this issuer. Write the tenant's id in it.");
            else if (EntraCloud.IssuersOf(issuers[index], tenant) is var known && !known.Contains(issuers[index], StringComparer.Ordinal))
                context.Error(key,
                    $"is {Finding.Quote(issuers[index])}, which no token has as issuer. "
                    + $"Write {string.Join(" or ", known.Select(issuer => $"\"{issuer}\""))}.");
        }
    }

    private static bool IsAzureAd(string name) => name.Equals(AzureAd, StringComparison.OrdinalIgnoreCase);
}
