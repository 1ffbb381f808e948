using static Gateway.Differences.SettingJudgements;

namespace Gateway.Differences;

/// <summary>
/// What a change of each setting means. A setting that no rule names is not judged, and counts as loosened: a new key can never pass as harmless.
/// </summary>
internal static class SettingRules
{
    private const string Route = "ReverseProxy:Routes:*:";
    private const string Cluster = "ReverseProxy:Clusters:*";
    private const string Scheme = "Authentication:Schemes:*";
    private const string Keys = "Authentication:ApiKeys:Keys:*";
    private const string Introspection = "Authentication:Introspection";
    private const string Limits = "Kestrel:Limits:";

    // The first rule that matches is used. * stands for one name, ** for any rest.
    private static readonly SettingRule[] s_all =
    [
        // Without a policy, no operator may act. On a route, anyone may.
        new("Management:Access", More),
        new(Route + "Access", Less),
        .. RequirementsOf("Management:Access:"),
        .. RequirementsOf(Route + "Access:"),

        // What else keeps requests out of a route, or lets them do more.
        new(Route + "Limit", Less),
        new(Route + "Limit:Name", Neutral),
        new(Route + "Limit:PermitLimit", Greater),
        new(Route + "Limit:Window", Smaller),
        new(Route + "Limit:Algorithm", Other),
        new(Route + "Limit:PartitionBy", Other),
        new(Route + "Limit:Store", Other),
        new(Route + "Limit:CountedWith", FewerLoosen),
        new(Route + "CorsPolicy", Other),
        new(Route + "CorsDisabled", Other),
        new(Route + "CorsPolicy:Origins", More),
        new(Route + "CorsPolicy:Methods", More),
        new(Route + "CorsPolicy:Headers", More),
        new(Route + "CorsPolicy:ExposedHeaders", More),
        new(Route + "CorsPolicy:MaxAge", Greater),
        new(Route + "CorsPolicy:AllowCredentials", Grant),
        new(Route + "Timeout", Greater),
        new(Route + "MaxRequestBodySize", GreaterBytes),
        new(Route + "Transforms", Other),
        // These may be a service's credentials.
        new(Route + "TransformValues", Other) { IsSecret = true, IsHashed = false },
        new(Route + "ClusterId", Neutral),
        new(Route + "Metadata:Module", Other),
        new(Route + "Metadata:Profile", Neutral),
        new(Route + "Metadata:AnyOrganization", Grant),
        new(Route + "Metadata:ForwardAuthorization", Grant),
        new(Route + "Metadata:ForwardCookies", Grant),
        new(Route + "Metadata:ForwardHeaders", MoreNames),
        new(Route + "Metadata:IpAllow", Networks),
        new(Route + "Metadata:Retries", Neutral),

        // Where routes lead.
        new(Cluster, Neutral),
        new(Cluster + ":Destinations:*:OwnMetadata:**", Neutral) { IsSecret = true, IsHashed = false },
        new(Cluster + ":Destinations:**", Neutral),
        new(Cluster + ":LoadBalancingPolicy", Neutral),
        new(Cluster + ":SessionAffinity:**", Neutral),
        new(Cluster + ":HealthCheck:Active:Query", Neutral) { IsSecret = true, IsHashed = false },
        new(Cluster + ":HealthCheck:**", Neutral),
        new(Cluster + ":HttpClient:DangerousAcceptAnyServerCertificate", Grant),
        new(Cluster + ":HttpClient:MaxConnectionsPerServer", Greater),
        new(Cluster + ":HttpClient:EnableMultipleHttp2Connections", Neutral),
        new(Cluster + ":HttpClient:*HeaderEncoding", Neutral),
        new(Cluster + ":HttpRequest:ActivityTimeout", Greater),
        new(Cluster + ":HttpRequest:Version", Neutral),
        new(Cluster + ":HttpRequest:VersionPolicy", Neutral),
        new(Cluster + ":HttpRequest:AllowResponseBuffering", Neutral),
        new(Cluster + ":Metadata:IdleTimeout", Neutral),
        new(Cluster + ":Metadata:OpenApi", Neutral),
        new(Cluster + ":Metadata:SlowStart", Neutral),
        new(Cluster + ":OwnMetadata:**", Neutral) { IsSecret = true, IsHashed = false },
        new("Services:**", Neutral),

        // Whose tokens and keys are accepted, and what they say of a caller.
        new(Scheme, More),
        new(Scheme + ":ValidAudiences", AnyOf),
        new(Scheme + ":ClientIds", AnyOf),
        new(Scheme + ":ValidIssuers", More),
        new(Scheme + ":RequireHttpsMetadata", Demand),
        new(Scheme + ":AcceptIdTokens", Grant),
        new(Scheme + ":ClockSkew", Greater),
        new(Scheme + ":Organizations", More),
        new("AzureAd:Organizations", More),
        new(Introspection + ":Organizations", More),
        new(Scheme + ":Organizations:Only", OnlyOf),
        new("AzureAd:Organizations:Only", OnlyOf),
        new(Introspection + ":Organizations:Only", OnlyOf),
        new("AzureAd", More),
        new("AzureAd:RequireHttpsMetadata", Demand),
        new("AzureAd:AllowWebApiToBeAuthorizedByACL", Grant),
        new("AzureAd:Tenants:*", More),
        new("AzureAd:Tenants:*:Only", OnlyOf),
        new("Authentication:ApiKeys", More),
        new(Keys, More),
        // The key may be short, and then it could be guessed from the hash.
        new(Keys + ":Sha256", OtherDigits) { IsSecret = true, IsHashed = false },
        new(Keys + ":Organizations", More),
        new(Keys + ":Roles", More),
        new(Keys + ":Scopes", More),
        new(Keys + ":Expires", Greater),
        new(Keys + ":IpAllow", Networks),
        new(Introspection, More),
        new(Introspection + ":Accepts", More),
        new(Introspection + ":CacheFor", Greater),
        new(Introspection + ":Timeout", Greater),
        new(Introspection + ":ClientSecretPath", Neutral),

        // What is let in at all.
        new("Urls", More) { IsHashed = false },
        new("AllowedHosts", AnyOf),
        new("Edge:Methods", More),
        // A proxy more can say from where a client comes. Behind one that is no longer trusted, every client has its address, which IpAllow may hold.
        new("Edge:TrustedProxies", Other),
        new("Edge:ConnectionsPerAddress", Greater),
        new("Edge:UpgradesPerCaller", Greater),
        new("Edge:FailedAuthentications:PermitLimit", Greater),
        new("Edge:FailedAuthentications:Window", Smaller),
        new("Management:Url", Other) { IsHashed = false },
        new("Management:Console:**", Neutral),
        new(Limits + "MinRequestBodyDataRate:BytesPerSecond", Smaller),
        new(Limits + "MinResponseDataRate:BytesPerSecond", Smaller),
        new(Limits + "MinRequestBodyDataRate", Less),
        new(Limits + "MinResponseDataRate", Less),
        new(Limits + "Http2:KeepAlivePing*", Neutral),
        new(Limits + "**", Greater),
        new("Kestrel:Endpoints:*:Url", Other) { IsHashed = false },
        .. CertificateAt("Kestrel:Certificates:*:"),
        .. CertificateAt("Kestrel:Endpoints:*:Certificate:"),
        .. CertificateAt("Kestrel:Endpoints:*:Sni:*:Certificate:"),
        new("Kestrel:**:Password", Other) { IsSecret = true, IsHashed = false },

        // The credential module, but for profiles.
        new("IotCredentials:Timeout", Greater),
        new("IotCredentials:OrganizationId:Characters", Other),
        new("IotCredentials:OrganizationId:Length:Min", Smaller),
        new("IotCredentials:OrganizationId:Length:Max", Greater),
        new("IotCredentials:Cache:**", Neutral),
        new("IotCredentials:Sts:**", Greater),
        new("IotCredentials:Directory:AllowedAccounts", More),
        new("IotCredentials:Directory:AllowedRegions", AnyOf),
        new("IotCredentials:Directory:CacheFor", Greater),
        new("IotCredentials:Directory:StaleFor", Greater),
        new("IotCredentials:Directory:Timeout", Greater),
        new("IotCredentials:Directory:UnknownFor", Neutral),
        new("IotCredentials:Directory:TokenPath", Neutral),
        new("IotCredentials:Profiles:*:SharedTopics", More),
        new("IotCredentials:Organizations:*:SharedTopics", More),

        // Nothing here lets anybody in.
        new("ConnectionStrings:Redis", Neutral),
        new("Sealing:KeyPath", Neutral),
        new("Shutdown:**", Neutral) { IsHashed = false },
        new("AccessLog:**", Neutral) { IsHashed = false },
        new("AuditLog:**", Neutral) { IsHashed = false },
        new("Logging:**:LogLevel:*", Neutral) { IsHashed = false },
        new("Logging:**", Neutral) { IsSecret = true, IsHashed = false },

        // Policies that are in use are compared on their routes.
        new("Authorization:Policies:**", Neutral),
        new("RateLimiting:Policies:**", Neutral),
        new("Cors:Policies:**", Neutral),

        // Any change of these lets in other callers.
        new("Authentication:**", Other),
        new("AzureAd:**", Other),
        new("IotCredentials:OrganizationId:Prefix", Other),
        new("IotCredentials:Directory:Address", Other),
        new("IotCredentials:AwsIdentity:**", Other),
    ];

    private static readonly SettingRule[] s_notHashed = [.. s_all.Where(static rule => !rule.IsHashed)];

    /// <summary>The rule of a setting; null if there is none.</summary>
    public static SettingRule? Find(string path) => First(s_all, path);

    /// <summary>Whether a setting is part of the configuration's hash.</summary>
    public static bool IsHashed(string path) => First(s_notHashed, path) is null;

    private static SettingRule? First(SettingRule[] rules, string path)
    {
        var names = path.Split(':');
        return Array.Find(rules, rule => rule.Names(names));
    }

    private static SettingRule[] RequirementsOf(string access) =>
    [
        new(access + "RequireOrganization", Demand),
        new(access + "OrganizationSegment", Other),
        new(access + "Scopes", AnyOf),
        new(access + "Roles", AnyOf),
        new(access + "Schemes", AnyOf),
    ];

    private static SettingRule[] CertificateAt(string certificate) =>
    [
        new(certificate + "Password", Neutral) { IsSecret = true, IsHashed = false },
        new(certificate + "Path", Neutral) { IsHashed = false },
        new(certificate + "KeyPath", Neutral) { IsHashed = false },
    ];
}
