using System.Text;
using System.Text.Json.Nodes;
using Gateway.Differences;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Tests.Configuration;

/// <summary>The defaults of the section <c>ReverseProxy</c>, most of which YARP's own schema leaves out. Paths are those of the table of keys.</summary>
internal static class YarpDefaults
{
    private const string Route = "Routes:NAME:";
    private const string Cluster = "Clusters:NAME:";

    private static readonly string s_threshold = ConsecutiveFailuresHealthPolicyOptions.ThresholdMetadataName;
    private static readonly string s_rateLimit = TransportFailureRateHealthPolicyOptions.FailureRateLimitMetadataName;

    private static readonly (string Key, object Value)[] s_values =
    [
        .. EffectiveConfiguration.ClusterDefaults.Select(static known => (Cluster + known.Path, known.Value)),
        (Route + "Order", 0),
        (Route + "Match:Headers:[]:Mode", new RouteHeader().Mode),
        (Route + "Match:Headers:[]:IsCaseSensitive", new RouteHeader().IsCaseSensitive),
        (Route + "Match:QueryParameters:[]:Mode", new RouteQueryParameter().Mode),
        (Route + "Match:QueryParameters:[]:IsCaseSensitive", new RouteQueryParameter().IsCaseSensitive),
        (Cluster + "SessionAffinity:Policy", SessionAffinityConstants.Policies.HashCookie),
        (Cluster + "SessionAffinity:FailurePolicy", SessionAffinityConstants.FailurePolicies.Redistribute),
        (Cluster + "SessionAffinity:Cookie:Path", "/"),
        (Cluster + "SessionAffinity:Cookie:SecurePolicy", CookieSecurePolicy.None),
        (Cluster + "SessionAffinity:Cookie:HttpOnly", true),
        (Cluster + "SessionAffinity:Cookie:SameSite", SameSiteMode.Unspecified),
        (Cluster + "SessionAffinity:Cookie:IsEssential", false),
        (Cluster + "HealthCheck:AvailableDestinationsPolicy", HealthCheckConstants.AvailableDestinations.HealthyOrPanic),
        (Cluster + "HealthCheck:Active:Policy", HealthCheckConstants.ActivePolicy.ConsecutiveFailures),
        (Cluster + "HealthCheck:Passive:Policy", HealthCheckConstants.PassivePolicy.TransportFailureRate),
        (Cluster + "HealthCheck:Passive:ReactivationPeriod", TimeSpan.FromMinutes(1)),
        // The gateway's own, see DownstreamHttpClientFactory. YARP's is ASCII.
        (Cluster + "HttpClient:RequestHeaderEncoding", Encoding.UTF8.WebName),
        (Cluster + "Metadata:" + s_threshold, new ConsecutiveFailuresHealthPolicyOptions().DefaultThreshold),
        (Cluster + "Metadata:" + s_rateLimit, new TransportFailureRateHealthPolicyOptions().DefaultFailureRateLimit),
    ];

    // Sentences that follow YARP's description of a key.
    private static readonly (string Key, string Text)[] s_texts =
    [
        (Route + "ClusterId", "Required, unless Metadata:Module is set."),
        (Route + "MaxRequestBodySize", "Default: Kestrel:Limits:MaxRequestBodySize. With -1 there is no limit."),
        (Route + "AuthorizationPolicy", "Default: any authenticated caller may use the route."),
        (Route + "RateLimiterPolicy", "Default: no limit."),
        (Route + "OutputCachePolicy", "Default: none. The gateway has no such policies: the key is an error."),
        (Route + "Timeout", "Default: none."),
        (Route + "TimeoutPolicy", "Default: none. The gateway has no such policies: the key is an error."),
        (Route + "CorsPolicy", "Default: none, and preflights and CORS headers are the service's."),
        (Route + "Match:Path", "Default: any. A route needs Path or Hosts."),
        (Route + "Match:Hosts", "Default: any."),
        (Route + "Match:Methods", "Default: any."),
        (Route + "Match:Headers:[]:Name", "Required."),
        (Route + "Match:Headers:[]:Values", "Required, unless Mode is Exists or NotExists."),
        (Route + "Match:Headers:[]:IsCaseSensitive", "Whether the case of values matters."),
        (Route + "Match:QueryParameters:[]:Name", "Required."),
        (Route + "Match:QueryParameters:[]:Values", "Required, unless Mode is Exists."),
        (Route + "Match:QueryParameters:[]:IsCaseSensitive", "Whether the case of values matters."),
        (Route + "Transforms", "Default: none."),
        (Cluster + "Destinations:NAME:Address", "Required."),
        (Cluster + "Destinations:NAME:Health", "Default: Address."),
        (Cluster + "Destinations:NAME:Host", "Default: the host of Address."),
        (Cluster + "Destinations:NAME:Metadata", "Default: none. The gateway does not read names of your own."),
        (Cluster + "SessionAffinity:Enabled", "Whether a client's requests go to the destination that served its first one."),
        (Cluster + "SessionAffinity:Policy", "Cookie and CustomHeader are errors: only the replica that made such a key can read it."),
        (Cluster + "SessionAffinity:AffinityKeyName", "Required with SessionAffinity:Enabled."),
        (Cluster + "SessionAffinity:Cookie:Domain", "Default: none, and the browser sends the cookie to the gateway's host only."),
        (Cluster + "SessionAffinity:Cookie:Expiration", "Default: none, and the cookie ends with the browser's session unless MaxAge is set."),
        (Cluster + "SessionAffinity:Cookie:MaxAge", "Default: none, and the cookie ends with the browser's session unless Expiration is set."),
        (Cluster + "HealthCheck:AvailableDestinationsPolicy",
            "Determines which destinations get requests. While all are unhealthy, HealthyOrPanic uses all of them, and HealthyAndUnknown none."),
        (Cluster + "HealthCheck:Active:Query", "Default: none."),
        (Cluster + "HttpClient:SslProtocols", "Default: the operating system's choice."),
        (Cluster + "HttpClient:MaxConnectionsPerServer", "Default: no limit."),
        (Cluster + "HttpClient:ResponseHeaderEncoding", "Default: none. The key has no effect: response headers pass byte for byte."),
        (Cluster + "HttpClient:WebProxy:Address", "Default: none. The proxy of the environment variables is not used for services."),
        (Cluster + "Metadata", "Default: none. The gateway does not read names of your own."),
        (Cluster + "Metadata:" + s_threshold,
            "How many probes in a row fail before a destination is unhealthy, at least 1. For the active policy ConsecutiveFailures."),
        (Cluster + "Metadata:" + s_rateLimit,
            "The share of failed requests from which a destination is unhealthy, above 0 and at most 1. For the passive policy TransportFailureRate."),
    ];

    /// <summary>Adds the defaults, and what else YARP's descriptions lack, to the section's schema.</summary>
    public static void AddTo(JsonObject section)
    {
        var metadata = At(section, Cluster + "Metadata")["properties"]!;
        foreach (var (name, type) in new[] { (s_threshold, "integer"), (s_rateLimit, "number") })
            metadata[name] = new JsonObject { ["type"] = new JsonArray(type, "string", "null") };
        foreach (var (key, text) in s_texts)
        {
            var schema = At(section, key);
            schema["description"] = schema["description"] is { } description ? $"{description} {text}" : text;
        }

        foreach (var (key, value) in s_values) ConfigurationSchema.AddDefault(At(section, key), value);
    }

    /// <summary>Returns the schema of a key of the section.</summary>
    public static JsonObject At(JsonObject section, string key)
    {
        foreach (var name in key.Split(':'))
            section = (name switch
            {
                "NAME" => section["patternProperties"]!["."],
                "[]" => section["items"],
                _ => section["properties"]![name],
            })!.AsObject();
        return section;
    }
}
