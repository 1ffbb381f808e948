namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks the section AzureAd.</summary>
internal static class AzureAdRules
{
    private const string Section = "AzureAd";

    /// <summary>
    /// Instance is an absolute http or https address, https if RequireHttpsMetadata is set, not of Azure AD B2C or of the closed cloud, and without a
    /// path for a known cloud. Tenants are given by their ids, ClientId is set, and Tenants is set exactly when TenantId stands for several tenants.
    /// </summary>
    public static void Check(RuleContext context)
    {
        if (context.Options.AzureAd is not { } azure) return;
        CheckInstance(context, azure);
        if (string.IsNullOrWhiteSpace(azure.TenantId))
            context.Error($"{Section}:TenantId", "is required. Write the tenant's id.");
        else if (!azure.IsMultiTenant)
            CheckTenant(context, azure, $"{Section}:TenantId", azure.TenantId);
        foreach (var tenant in azure.Tenants.Keys) CheckTenant(context, azure, $"{Section}:Tenants:{tenant}", tenant);
        if (string.IsNullOrWhiteSpace(azure.ClientId))
            context.Error($"{Section}:ClientId", "is required. Write the application's id.");
        foreach (var (name, value) in new[] { ("ClientId", azure.ClientId), ("Audience", azure.Audience) })
            if (SchemeRules.HasBlankAround(value))
                context.Error($"{Section}:{name}", $"is {Finding.Quote(value!)}, with a blank at an end, and tokens have none. Remove it.");
        if (azure.IsMultiTenant && azure.Tenants.Count == 0)
            context.Error($"{Section}:Tenants",
                $"is required with TenantId {Finding.Quote(azure.TenantId!)}: else anyone with a Microsoft account is let in. "
                + "List the tenants by id, such as { \"TENANT-ID\": { \"Only\": [ \"o-1\" ] } }.");
        if (!azure.IsMultiTenant && azure.Tenants.Count > 0)
            context.Error($"{Section}:Tenants", "has no effect while TenantId names one tenant. Remove it, or write \"organizations\" as TenantId.");

        SchemeRules.CheckOrganizations(context, $"{Section}:Organizations", azure.Organizations);
        foreach (var (tenant, options) in azure.Tenants) OrganizationIdRules.CheckOnly(context, $"{Section}:Tenants:{tenant}:Only", options.Only);
    }

    private static void CheckInstance(RuleContext context, AzureAdOptions azure)
    {
        const string Key = $"{Section}:Instance";
        const string Advice = "Write \"https://login.microsoftonline.com/\" or the address of your cloud.";
        if (SchemeRules.CheckAddress(context, Key, azure.Instance, azure.RequireHttpsMetadata, Advice) is not { } instance) return;
        if (instance.Host.EndsWith(EntraCloud.B2C, StringComparison.OrdinalIgnoreCase))
            context.Error(Key,
                $"is {Finding.Quote(azure.Instance)}, of Azure AD B2C, whose issuers depend on the user flow. Write it as a scheme of Authentication:Schemes: "
                + "as Authority the address of the user flow's discovery document without /.well-known/openid-configuration, as ValidIssuers what that "
                + "document has as issuer.");
        else if (instance.Host.Equals(EntraCloud.Closed, StringComparison.OrdinalIgnoreCase))
            context.Error(Key,
                $"is {Finding.Quote(azure.Instance)}, of a cloud that was closed in 2021. Write the address of the cloud that the tenant is in now.");
        else if (EntraCloud.Has(instance.Host) && instance.PathAndQuery != "/")
            context.Error(Key,
                $"is {Finding.Quote(azure.Instance)}, with a path, and the tenant's would come behind it: no keys would be found. "
                + $"Write {Finding.Quote($"https://{instance.Host}/")}, and the tenant's id as TenantId.");
    }

    // The tenant must be a GUID: tokens name a tenant by its id, even if the tenant's address uses a name.
    private static void CheckTenant(RuleContext context, AzureAdOptions azure, string key, string tenant)
    {
        if (Guid.TryParseExact(tenant, "D", out _)) return;
        context.Error(key,
            $"is {Finding.Quote(tenant)}, which is not a tenant id: tokens name a tenant by its id, so none would be accepted. "
            + "Write the id, a GUID; it is part of the "
            + $"issuer in {azure.Instance.TrimEnd('/')}/{Uri.EscapeDataString(tenant)}/v2.0/.well-known/openid-configuration.");
    }
}
