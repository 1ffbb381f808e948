namespace Gateway.Configuration;

/// <summary>Microsoft.Identity.Web's own section, as far as it decides whose tokens are accepted, and the gateway's own keys.</summary>
internal sealed record AzureAdOptions
{
    /// <summary>The cloud's sign-in address. Default: <c>https://login.microsoftonline.com/</c>.</summary>
    public string Instance { get; init; } = "https://login.microsoftonline.com/";

    /// <summary>
    /// The tenant's id, a GUID, or <c>common</c>, <c>organizations</c>, <c>consumers</c> for many, which then are listed in <see cref="Tenants"/>.
    /// Required.
    /// </summary>
    public string? TenantId { get; init; }

    /// <summary>The application's id. Required.</summary>
    public string? ClientId { get; init; }

    /// <summary>The audience that tokens name. Default: the application's id, and <c>api://</c> before it.</summary>
    public string? Audience { get; init; }

    /// <summary>Whether a token may hold neither scope nor role. Default: false.</summary>
    public bool AllowWebApiToBeAuthorizedByACL { get; init; }

    /// <summary>The discovery document's address. Default: derived from instance and tenant.</summary>
    public string? MetadataAddress { get; init; }

    /// <summary>Whether the provider is reached by https alone. Default: true.</summary>
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>How a token names the organizations of its caller. Default: it names none.</summary>
    public OrganizationClaimOptions? Organizations { get; init; }

    /// <summary>The tenants whose tokens are accepted, by tenant id. Required when <see cref="TenantId"/> stands for many.</summary>
    public IReadOnlyDictionary<string, AzureAdTenantOptions> Tenants { get; init; } =
        new Dictionary<string, AzureAdTenantOptions>(StringComparer.Ordinal);

    /// <summary>The audiences of which a token names at least one: <see cref="Audience"/>, or else the application's id, and <c>api://</c> before it.</summary>
    internal IReadOnlyList<string> ValidAudiences =>
        Audience is null ? [ClientId!, $"api://{ClientId}"] : [Audience];

    /// <summary>Whether <see cref="TenantId"/> stands for many tenants.</summary>
    internal bool IsMultiTenant =>
        TenantId is not null && ((string[])["common", "organizations", "consumers"]).Contains(TenantId, StringComparer.OrdinalIgnoreCase);

    /// <summary><see cref="TenantId"/> as tokens write it: in small letters.</summary>
    internal string? Tenant => TenantId?.ToLowerInvariant();

    /// <summary>The issuers of the accepted tenants' tokens, in both of Entra's token versions.</summary>
    internal IEnumerable<string> Issuers => (IsMultiTenant ? Tenants.Keys : TenantId is null ? [] : [TenantId]).SelectMany(IssuersOf);

    /// <summary>The issuers of one tenant's tokens.</summary>
    internal IReadOnlyList<string> IssuersOf(string tenant) => EntraCloud.IssuersOf(Instance, tenant.ToLowerInvariant());
}

/// <summary>One tenant whose tokens are accepted.</summary>
internal sealed record AzureAdTenantOptions
{
    /// <summary>The organizations that this tenant may speak for. Default: any.</summary>
    public IReadOnlyList<string>? Only { get; init; }
}
