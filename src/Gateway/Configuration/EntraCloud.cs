namespace Gateway.Configuration;

/// <summary>
/// The values that Microsoft Entra ID's clouds write into <c>iss</c>. Sources: learn.microsoft.com, "National clouds" and "Access token claims
/// reference".
/// </summary>
internal static class EntraCloud
{
    /// <summary>The host suffix of Azure AD B2C.</summary>
    public const string B2C = ".b2clogin.com";

    /// <summary>The host of the German cloud, which was closed in 2021.</summary>
    public const string Closed = "login.microsoftonline.de";

    private const string Ciam = ".ciamlogin.com";
    private const string PublicTokenService = "https://sts.windows.net";

    // Each cloud is listed by the host that its version 2 tokens name. The other hosts are older names of the same cloud. Version 1 tokens name the
    // token service.
    private static readonly (string Host, string[] OtherHosts, string TokenService)[] s_clouds =
    [
        ("login.microsoftonline.com", ["login.windows.net", "login.microsoft.com", "sts.windows.net"], PublicTokenService),
        ("login.microsoftonline.us", ["login.usgovcloudapi.net"], PublicTokenService),
        ("login.partner.microsoftonline.cn", ["login.chinacloudapi.cn", "sts.chinacloudapi.cn"], "https://sts.chinacloudapi.cn"),
    ];

    /// <summary>Whether a host belongs to one of these clouds.</summary>
    public static bool Has(string host) =>
        host.EndsWith(Ciam, StringComparison.OrdinalIgnoreCase)
        || Array.Exists(s_clouds, cloud => host.Equals(cloud.Host, StringComparison.OrdinalIgnoreCase)
            || cloud.OtherHosts.Contains(host, StringComparer.OrdinalIgnoreCase));

    /// <summary>Returns the issuers of one tenant's tokens: version 2 first, then version 1.</summary>
    /// <param name="instance">The cloud's sign-in address.</param>
    /// <param name="tenant">The tenant's id, in lower case.</param>
    public static IReadOnlyList<string> IssuersOf(string instance, string tenant)
    {
        var host = Uri.TryCreate(instance, UriKind.Absolute, out var uri) ? uri.Host : "";
        foreach (var (name, others, tokenService) in s_clouds)
        {
            if (host.Equals(name, StringComparison.OrdinalIgnoreCase) || others.Contains(host, StringComparer.OrdinalIgnoreCase))
                return [$"https://{name}/{tenant}/v2.0", $"{tokenService}/{tenant}/"];
        }

        // For external tenants (CIAM), tokens name the tenant's id as the host, whichever host the tenant was reached by.
        return host.EndsWith(Ciam, StringComparison.OrdinalIgnoreCase)
            ? [$"https://{tenant}{Ciam}/{tenant}/v2.0", $"{PublicTokenService}/{tenant}/"]
            : [$"{instance.TrimEnd('/')}/{tenant}/v2.0", $"{PublicTokenService}/{tenant}/"];
    }
}
