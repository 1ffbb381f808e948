namespace Gateway.Configuration.Schema;

/// <summary>
/// The keys that Microsoft.Identity.Web documents for the section <c>AzureAd</c>, but that do not apply to an API that validates tokens: they sign
/// users in, or get tokens for other APIs.
/// </summary>
internal static class AzureAdSignInKeys
{
    private const string SignIn = "has no effect here: the gateway validates tokens, and signs nobody in. Remove it.";
    private const string Tokens = "has no effect here: the gateway validates tokens, and asks for none. Remove it, and keep what it holds where it is used.";
    private const string Client = "has no effect here: it is a setting of the client that asks for tokens. Remove it.";
    private const string Scopes = "has no effect here: which scopes a caller needs is said for each route. "
        + "Write it as a policy's Scopes, under Authorization:Policies, and name the policy in AuthorizationPolicy.";
    private const string UserFlow = "has no effect here, and tokens of Azure AD B2C are not accepted by this section: "
        + "write the tenant under Authentication:Schemes, with the user flow's address as Authority.";

    /// <summary>The keys.</summary>
    public static IEnumerable<Member> Members { get; } =
    [
        .. Of(Scopes, "Scopes", "Scope", "RequiredScope", "RequiredScopes", "AppPermissions", "AppPermission", "RequiredRoles"),
        .. Of(UserFlow, "SignUpSignInPolicyId", "SignUpSignInPolicy", "ResetPasswordPolicyId", "EditProfilePolicyId", "DefaultUserFlow"),
        .. Of(Tokens,
            "ClientSecret", "ClientCredentials", "ClientCertificates", "TokenDecryptionCertificates", "TokenDecryptionCredentials",
            "UserAssignedManagedIdentityClientId",
            "ManagedIdentity", "CertificateThumbprint", "Certificate", "CertificateName", "CertificateDistinguishedName", "ClientAssertion", "SendX5C",
            "WithSpaAuthCode"),
        .. Of(SignIn,
            "CallbackPath", "SignedOutCallbackPath", "SignedOutRedirectUri", "PostLogoutRedirectUri", "RemoteSignOutPath", "ErrorPath", "ResetPasswordPath",
            "AccessDeniedPath",
            "ReturnUrlParameter", "RedirectUri", "ForceHttpsRedirectUris", "ResponseType", "ResponseMode", "SaveTokens", "GetClaimsFromUserInfoEndpoint",
            "UsePkce", "UseTokenLifetime",
            "Prompt", "SignInScheme", "SignOutScheme", "CorrelationCookie", "NonceCookie", "RemoteAuthenticationTimeout", "MaxAge", "Resource",
            "DisableTelemetry",
            "SkipUnrecognizedRequests", "PushedAuthorizationBehavior", "Domain", "DomainHint", "LoginHint"),
        .. Of(Client,
            "LegacyCacheCompatibilityEnabled", "EnableCacheSynchronization", "ClientCapabilities", "AzureRegion", "ExtraQueryParameters", "EnablePiiLogging",
            "LogLevel",
            "IsDefaultPlatformLoggingEnabled", "AadAuthorityAudience", "AzureCloudInstance", "ClientName", "ClientVersion", "Component", "AppHomeTenantId",
            "ClientInfo",
            "ExtraParameters", "ShowPII", "AccountId", "GraphResourceId", "GraphApiUrl", "GraphApiVersion"),
    ];

    private static IEnumerable<Member> Of(string message, params string[] names) => names.Select(name => new Member(name, new AnySchema(), NoEffect: message));
}
