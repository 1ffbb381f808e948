using System.Globalization;
using System.Net;
using Gateway.Networking;

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

    // A null setting is absent. Each method returns null if the two mean the same.

    private static Effect? Neutral(Setting? before, Setting? after) => Effect.Changed;

    /// <summary>Every change may let in something else.</summary>
    private static Effect? Other(Setting? before, Setting? after) => Effect.Loosened;

    /// <summary>As <see cref="Other"/>, of hexadecimal digits.</summary>
    private static Effect? OtherDigits(Setting? before, Setting? after) =>
        string.Equals(before?.Text, after?.Text, StringComparison.OrdinalIgnoreCase) ? null : Effect.Loosened;

    /// <summary>A condition: without it, more is let in.</summary>
    private static Effect? Less(Setting? before, Setting? after) => after is null ? Effect.Loosened : Effect.Tightened;

    /// <summary>A list of what is let in, or an entry of it.</summary>
    private static Effect? More(Setting? before, Setting? after) => (before?.Value, after?.Value) switch
    {
        (string[] old, string[] current) => current.Except(old, StringComparer.Ordinal).Any() ? Effect.Loosened : Effect.Tightened,
        _ => after is null || after.Value is string[] { Length: 0 } ? Effect.Tightened : Effect.Loosened,
    };

    /// <summary>A list of which a caller needs one. An empty one asks for nothing.</summary>
    private static Effect? AnyOf(Setting? before, Setting? after) => (Items(before), Items(after)) switch
    {
        ({ Length: > 0 }, { Length: 0 }) => Effect.Loosened,
        ({ Length: 0 }, { Length: > 0 }) => Effect.Tightened,
        ({ Length: 0 }, { Length: 0 }) => null,
        _ => More(before, after),
    };

    /// <summary>A list that an issuer is limited to. If it is absent, the issuer is not limited; if it is empty, nothing is let in.</summary>
    private static Effect? OnlyOf(Setting? before, Setting? after) =>
        after is null ? Effect.Loosened : before is null ? Effect.Tightened : More(before, after);

    /// <summary>A list of what has to share one thing: with fewer, each has more of it.</summary>
    private static Effect? FewerLoosen(Setting? before, Setting? after) =>
        Items(before).Except(Items(after), StringComparer.Ordinal).Any() ? Effect.Loosened : Effect.Tightened;

    private static Effect? MoreNames(Setting? before, Setting? after) =>
        Split(after).Except(Split(before), StringComparer.OrdinalIgnoreCase).Any() ? Effect.Loosened
        : Split(before).Except(Split(after), StringComparer.OrdinalIgnoreCase).Any() ? Effect.Tightened
        : null;

    /// <summary>A switch that is a demand: on keeps out.</summary>
    private static Effect? Demand(Setting? before, Setting? after) => after?.Value is true ? Effect.Tightened : Effect.Loosened;

    /// <summary>A switch that is a permission: on lets in.</summary>
    private static Effect? Grant(Setting? before, Setting? after) => after?.Value is true ? Effect.Loosened : Effect.Tightened;

    /// <summary>A maximum. Without it there is no bound.</summary>
    private static Effect? Greater(Setting? before, Setting? after) => Compare(before, after) > 0 ? Effect.Loosened : Effect.Tightened;

    /// <summary>A minimum, or a time that a maximum is for.</summary>
    private static Effect? Smaller(Setting? before, Setting? after) => Compare(after, before) > 0 ? Effect.Loosened : Effect.Tightened;

    /// <summary>A maximum, of which a negative value is none.</summary>
    private static Effect? GreaterBytes(Setting? before, Setting? after) => Greater(Bounded(before), Bounded(after));

    private static Setting? Bounded(Setting? size) => size?.Value is < 0L ? null : size;

    private static Effect? Networks(Setting? before, Setting? after)
    {
        var (old, current) = (NetworksOf(before), NetworksOf(after));
        if (current is null) return old is null ? null : Effect.Loosened;
        if (old is null) return Effect.Tightened;
        return !current.All(network => IsWithin(network, old)) ? Effect.Loosened
            : old.All(network => IsWithin(network, current)) ? null
            : Effect.Tightened;
    }

    private static bool IsWithin(IPNetwork inner, IReadOnlyList<IPNetwork> outer) =>
        outer.Any(network => network.PrefixLength <= inner.PrefixLength && network.Contains(inner.BaseAddress));

    private static IReadOnlyList<IPNetwork>? NetworksOf(Setting? setting) =>
        setting?.Text is { Length: > 0 } text && AddressList.TryParse(text, out var networks, out _) ? networks : null;

    private static string[] Items(Setting? setting) => setting?.Value as string[] ?? [];

    private static string[] Split(Setting? setting) =>
        (setting?.Text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static int Compare(Setting? before, Setting? after) => Size(after).CompareTo(Size(before));

    private static double Size(Setting? setting) => setting?.Value switch
    {
        null => double.PositiveInfinity,
        TimeSpan time => time.TotalSeconds,
        DateTimeOffset time => (time - DateTimeOffset.UnixEpoch).TotalSeconds,
        bool flag => flag ? 1 : 0,
        IConvertible number when double.TryParse(number.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture, out var value) => value,
        _ => double.NaN,
    };
}

/// <summary>A rule for the settings of one kind.</summary>
/// <param name="Pattern">Their path: <c>*</c> stands for one name or a part of one, <c>**</c> for any number of names.</param>
/// <param name="Judge">Returns what a change means, or null if both mean the same. An absent setting is null.</param>
internal sealed record SettingRule(string Pattern, Func<Setting?, Setting?, Effect?> Judge)
{
    private readonly string[] _names = Pattern.Split(':');

    /// <summary>Whether the value is never shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Whether the value is part of the configuration's hash.</summary>
    public bool IsHashed { get; init; } = true;

    /// <summary>Whether the rule is about the setting at this path.</summary>
    public bool Names(ReadOnlySpan<string> path) => Matches(_names, path);

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty) return path.IsEmpty;
        if (pattern[0] == "**")
        {
            // A section's rest includes the section itself.
            for (var skipped = 0; skipped <= path.Length; skipped++)
                if (Matches(pattern[1..], path[skipped..])) return true;
            return false;
        }

        return !path.IsEmpty && IsNamed(pattern[0], path[0]) && Matches(pattern[1..], path[1..]);
    }

    private static bool IsNamed(string pattern, string name)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return star < 0
            ? pattern.Equals(name, StringComparison.OrdinalIgnoreCase)
            : name.Length >= pattern.Length - 1
                && name.StartsWith(pattern[..star], StringComparison.OrdinalIgnoreCase)
                && name.EndsWith(pattern[(star + 1)..], StringComparison.OrdinalIgnoreCase);
    }
}
