using Amazon;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Identity;

/// <summary>
/// Checks a scheme by what is known of its provider. If no token of the provider could be accepted, that is an error. If a provider is recognized by its name
/// or path alone, or the setting can work, it is a warning.
/// </summary>
internal static class ProviderRules
{
    private const string GoogleHost = "accounts.google.com";
    private const string Google = $"https://{GoogleHost}";
    private const string Auth0 = ".auth0.com";
    private const string CognitoHost = "cognito-idp";
    private const string CognitoSignIn = ".amazoncognito.com";
    private const string Realms = "/realms/";
    private const string AdfsIssuer = "/adfs/services/trust";
    private static readonly string[] s_public = [Google, "https://token.actions.githubusercontent.com", "https://gitlab.com"];
    private static readonly string[] s_okta = [".okta.com", ".oktapreview.com", ".okta-emea.com"];

    /// <summary>Whether an authority is an Amazon Cognito user pool, whose access tokens have no audience.</summary>
    public static bool IsCognito(string? authority) => HttpAddress.TryParse(authority, out var address) && IsCognitoPool(address.Host);

    /// <summary>
    /// The authority has the provider's path. Issuers end with or without a slash, as the provider writes them. Audiences and clients are ones that the
    /// provider's tokens name.
    /// </summary>
    /// <param name="context">The input of the rules.</param>
    /// <param name="section">The scheme's key.</param>
    /// <param name="scheme">The scheme.</param>
    /// <param name="address">The scheme's authority.</param>
    public static void Check(RuleContext context, string section, SchemeOptions scheme, Uri address)
    {
        var key = $"{section}:Authority";
        var host = address.Host;
        if (host.EndsWith(CognitoSignIn, StringComparison.OrdinalIgnoreCase) && scheme.ValidIssuers.Count == 0)
            context.Error(key,
                $"is {Finding.Quote(scheme.Authority!)}, the sign-in pages of Amazon Cognito, which no token has as issuer. "
                + "Write the user pool: \"https://cognito-idp.REGION.amazonaws.com/USER_POOL_ID\".");
        else if (IsCognitoPool(host))
            CheckCognito(context, section, scheme, address);
        else if (scheme.Authority!.TrimEnd('/') == Google)
            CheckGoogle(context, section, scheme);
        else if (IsAdfs(scheme, address))
            CheckAdfs(context, key, scheme, address);
        else if (scheme.MetadataAddress is null && IsKeycloakWithoutRealm(address))
            context.Warning(key,
                $"is {Finding.Quote(scheme.Authority!)}, and Keycloak's issuers are realms. If this is Keycloak, "
                + "write \"https://HOST/realms/REALM\", with the path that KC_HTTP_RELATIVE_PATH sets before it.");
        if (scheme.ValidIssuers.Count == 0) CheckSlash(context, key, scheme.Authority!, isWarned: true);
        for (var index = 0; index < scheme.ValidIssuers.Count; index++)
            CheckSlash(context, $"{section}:ValidIssuers:{index}", scheme.ValidIssuers[index], isWarned: false);
        var isCustomServer = address.AbsolutePath.StartsWith("/oauth2/", StringComparison.OrdinalIgnoreCase);
        if (IsOkta(host) && !isCustomServer && !scheme.AcceptIdTokens && !context.HasErrorAt(key))
            context.Warning(key,
                $"is {Finding.Quote(scheme.Authority!)}, Okta's own authorization server, whose access tokens are for Okta alone and are refused. "
                + $"Write a custom one, such as {Finding.Quote($"https://{address.Authority}/oauth2/default")}.");
        CheckPublic(context, section, scheme);
    }

    private static void CheckCognito(RuleContext context, string section, SchemeOptions scheme, Uri address)
    {
        // With both keys, the authority is neither the issuer nor the place of the discovery document.
        var isUsed = scheme.MetadataAddress is null || scheme.ValidIssuers.Count == 0;
        if (isUsed && (address.Segments is not [_, var pool] || !pool.Contains('_', StringComparison.Ordinal)))
            context.Error($"{section}:Authority",
                $"is {Finding.Quote(scheme.Authority!)}, and a user pool of Amazon Cognito has its id as the path. "
                + $"Write \"https://{address.Host}/USER_POOL_ID\".");
        if (scheme.AcceptIdTokens && scheme.ClientIds.Count > 0)
            context.Warning($"{section}:AcceptIdTokens",
                "has no effect with ClientIds: ID tokens of Amazon Cognito name their client in aud alone. Remove it, or write the clients as ValidAudiences.");
        else if (!scheme.AcceptIdTokens && scheme.ValidAudiences.Count > 0)
            context.Warning($"{section}:ValidAudiences",
                "refuses access tokens of Amazon Cognito that were requested without a resource, which have no aud. "
                + "Write the ids of the app clients as ClientIds instead.");
    }

    private static void CheckGoogle(RuleContext context, string section, SchemeOptions scheme)
    {
        string[] both = [Google, GoogleHost];
        if (both.Except(scheme.Issuers, StringComparer.Ordinal).FirstOrDefault() is { } other && scheme.Issuers.Intersect(both, StringComparer.Ordinal).Any())
            context.Warning($"{section}:{(scheme.ValidIssuers.Count == 0 ? "Authority" : "ValidIssuers")}",
                $"leaves out {Finding.Quote(other)}, which Google's tokens may name as well. Write ValidIssuers [ \"{both[0]}\", \"{both[1]}\" ].");
        if (!scheme.AcceptIdTokens)
            context.Warning($"{section}:AcceptIdTokens", "is not set, and Google's only JSON web tokens are ID tokens. Write \"AcceptIdTokens\": true.");
    }

    // Anyone can open an account there and have a token issued for any audience.
    private static void CheckPublic(RuleContext context, string section, SchemeOptions scheme)
    {
        var issuer = scheme.Authority!.TrimEnd('/');
        if (!s_public.Contains(issuer, StringComparer.OrdinalIgnoreCase) || (issuer == Google && scheme.ClientIds.Count > 0)) return;
        var name = section[(section.LastIndexOf(':') + 1)..];
        var policies = context.Options.Authorization.Policies;
        if (context.Routes.FirstOrDefault(IsOpen) is not { } open) return;
        context.Warning($"{section}:Authority",
            $"is {Finding.Quote(scheme.Authority!)}, of which everyone with an account gets tokens for any audience, and may use routes such as "
            + $"{Finding.Quote(open.RouteId)}. Let the policy of every route ask for an organization, a role or a scope"
            + (issuer == Google ? ", or write ClientIds." : "."));

        bool IsOpen(RouteConfig route) => route.AuthorizationPolicy is null or "" || IsDefault(route.AuthorizationPolicy)
            || (policies.TryGetValue(route.AuthorizationPolicy, out var policy)
                && policy is { RequireOrganization: false, Roles.Count: 0, Scopes.Count: 0 }
                && policy.Schemes.Contains(name, StringComparer.Ordinal));

        static bool IsDefault(string policy) => policy.Equals("Default", StringComparison.OrdinalIgnoreCase);
    }

    private static void CheckAdfs(RuleContext context, string key, SchemeOptions scheme, Uri address)
    {
        if (address.AbsolutePath.TrimEnd('/') != "/adfs" && scheme.MetadataAddress is null)
            context.Warning(key,
                $"is {Finding.Quote(scheme.Authority!)}, and the discovery document of AD FS is below https://HOST/adfs. "
                + $"Write {Finding.Quote($"https://{address.Authority}/adfs")}.");
        if (!scheme.Issuers.Any(issuer => issuer.EndsWith(AdfsIssuer, StringComparison.OrdinalIgnoreCase)))
            context.Warning(key,
                $"is {Finding.Quote(scheme.Authority!)}, and access tokens of AD FS name the issuer http://HOST/adfs/services/trust unless it was changed. "
                + $"Write ValidIssuers beside it: [ {Finding.Quote($"http://{address.Host}{AdfsIssuer}")} ].");
    }

    private static void CheckSlash(RuleContext context, string key, string issuer, bool isWarned)
    {
        if (context.HasErrorAt(key) || !HttpAddress.TryParse(issuer, out var address)) return;
        var (hasSlash, bare) = (issuer.EndsWith('/'), issuer.TrimEnd('/'));
        if (address.Host.EndsWith(Auth0, StringComparison.OrdinalIgnoreCase))
        {
            if (!hasSlash) Wrong("with", issuer + "/");
        }
        else if (hasSlash && HasNone(address))
        {
            Wrong("without", bare);
        }
        else if (hasSlash && isWarned)
        {
            context.Warning(key,
                $"is {Finding.Quote(issuer)}, and tokens must have it as issuer letter for letter, with the slash at the end. "
                + "If they do, write it as ValidIssuers too; else remove the slash.");
        }

        void Wrong(string with, string right) => context.Error(key,
            $"is {Finding.Quote(issuer)}, and this provider's tokens have it {with} a slash at the end, so none would be accepted. "
            + $"Write it {with} the slash: {Finding.Quote(right)}.");
    }

    private static bool HasNone(Uri issuer) =>
        IsCognitoPool(issuer.Host) || IsOkta(issuer.Host) || issuer.Host == GoogleHost || issuer.AbsolutePath.Contains(Realms, StringComparison.Ordinal);

    // cognito-idp.REGION, in the domain of the region's partition.
    private static bool IsCognitoPool(string host) => host.ToLowerInvariant().Split('.', 3) is [CognitoHost, { Length: > 0 } region, var domain]
        && domain == RegionEndpoint.GetBySystemName(region).PartitionDnsSuffix;

    private static bool IsOkta(string host) => Array.Exists(s_okta, suffix => host.EndsWith(suffix, StringComparison.OrdinalIgnoreCase));

    private static bool IsAdfs(SchemeOptions scheme, Uri address) =>
        address.Host.StartsWith("adfs.", StringComparison.OrdinalIgnoreCase)
        || (address.AbsolutePath + "/").StartsWith("/adfs/", StringComparison.OrdinalIgnoreCase)
        || scheme.ValidIssuers.Any(issuer => issuer.EndsWith(AdfsIssuer, StringComparison.OrdinalIgnoreCase));

    // Up to version 16, Keycloak's realms were below /auth.
    private static bool IsKeycloakWithoutRealm(Uri address)
    {
        var path = address.AbsolutePath.TrimEnd('/');
        return path.IndexOf(Realms, StringComparison.Ordinal) is var realms && realms >= 0
            ? path[(realms + Realms.Length)..].Contains('/', StringComparison.Ordinal)
            : path is "/auth" or "/auth/realms" or "/realms" || address.Host.StartsWith("keycloak.", StringComparison.OrdinalIgnoreCase);
    }
}
