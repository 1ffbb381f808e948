namespace Gateway.Configuration.Shapes;

/// <summary>Sections of other libraries that stand in many applications' configuration, and what stands for them here.</summary>
internal static class OtherProducts
{
    private const string Logs = "The gateway writes its log with ASP.NET Core's own console logger: write levels under Logging:LogLevel, and let the platform collect standard output.";
    private const string Telemetry = "Metrics are at /metrics of the management listener; OpenTelemetry is set by its own environment variables, such as OTEL_EXPORTER_OTLP_ENDPOINT.";
    private const string Certificates = "Certificates are files that are read again when they change: write Kestrel:Endpoints:NAME:Certificate with Path and KeyPath, and let another program renew them.";
    private const string Limits = "Write limits under RateLimiting:Policies, and name one in a route's RateLimiterPolicy.";
    private const string Health = "Health is at /health/live and /health/ready of the management listener (Management:Url); destinations are probed by a cluster's HealthCheck.";
    private const string Discovery = "Destinations stand under ReverseProxy:Clusters; a name that DNS knows follows its addresses, and Services gives a name addresses of its own.";
    private const string Tokens = "Write each issuer under Authentication:Schemes, with Authority and ValidAudiences.";
    private const string Roles = "Write who may use a route under Authorization:Policies.";
    private const string Origins = "Write origins under Cors:Policies, and name a policy in a route's CorsPolicy.";
    private const string Routes = "Routes and clusters stand under ReverseProxy, in YARP's own form.";
    private const string Shared = "What replicas share is in Redis: write ConnectionStrings:Redis and Sealing:KeyPath.";
    private const string Amazon = "The gateway's AWS identity and region come from the AWS SDK's own variables and roles; what it hands out stands under IotCredentials.";
    private const string Server = "Listeners stand under Urls or Kestrel:Endpoints, limits of the server under Kestrel:Limits.";
    private const string Retries = "A route's Timeout and its Metadata:Retries, and a cluster's HttpRequest:ActivityTimeout and HealthCheck, say what is done about a slow or failing service.";
    private const string Nothing = "No part of the gateway reads it. Remove it.";

    private static readonly Dictionary<string, string> advice = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Serilog"] = Logs, ["NLog"] = Logs, ["log4net"] = Logs, ["Seq"] = Logs, ["Elastic"] = Logs, ["ElasticSearch"] = Logs, ["ElasticConfiguration"] = Logs, ["Loki"] = Logs,
        ["Graylog"] = Logs, ["GELF"] = Logs, ["Sentry"] = Logs, ["Loggly"] = Logs, ["HttpLogging"] = Logs, ["W3CLogging"] = Logs,
        ["OpenTelemetry"] = Telemetry, ["Otlp"] = Telemetry, ["OTEL"] = Telemetry, ["Jaeger"] = Telemetry, ["Zipkin"] = Telemetry, ["ApplicationInsights"] = Telemetry, ["AzureMonitor"] = Telemetry,
        ["Prometheus"] = Telemetry, ["Metrics"] = Telemetry, ["MetricsOptions"] = Telemetry, ["Tracing"] = Telemetry, ["ElasticApm"] = Telemetry, ["NewRelic"] = Telemetry, ["Datadog"] = Telemetry,
        ["DD"] = Telemetry, ["SkyWalking"] = Telemetry, ["Honeycomb"] = Telemetry, ["AllowedMetrics"] = Telemetry,
        ["LettuceEncrypt"] = Certificates, ["LetsEncrypt"] = Certificates, ["FluffySpoon"] = Certificates, ["Certes"] = Certificates, ["Certificates"] = Certificates, ["Certificate"] = Certificates,
        ["HttpsRedirection"] = Certificates, ["Https"] = Certificates, ["Acme"] = Certificates,
        ["IpRateLimiting"] = Limits, ["IpRateLimitPolicies"] = Limits, ["ClientRateLimiting"] = Limits, ["ClientRateLimitPolicies"] = Limits, ["RateLimit"] = Limits, ["RateLimits"] = Limits,
        ["RateLimiter"] = Limits, ["RateLimiterOptions"] = Limits, ["RateLimitOptions"] = Limits, ["RateLimitingOptions"] = Limits, ["Throttling"] = Limits, ["Throttle"] = Limits,
        ["HealthChecks-UI"] = Health, ["HealthChecksUI"] = Health, ["HealthChecks"] = Health, ["HealthCheck"] = Health, ["Health"] = Health,
        ["Consul"] = Discovery, ["Eureka"] = Discovery, ["Spring"] = Discovery, ["Nacos"] = Discovery, ["ServiceDiscovery"] = Discovery, ["Etcd"] = Discovery, ["ZooKeeper"] = Discovery,
        ["ServiceFabric"] = Discovery, ["Kubernetes"] = Discovery, ["Dapr"] = Discovery, ["Orleans"] = Discovery, ["Steeltoe"] = Discovery, ["ServiceEndpoints"] = Discovery,
        ["Jwt"] = Tokens, ["JwtSettings"] = Tokens, ["JwtOptions"] = Tokens, ["JwtBearer"] = Tokens, ["JwtConfig"] = Tokens, ["Bearer"] = Tokens, ["Auth0"] = Tokens, ["Okta"] = Tokens,
        ["Keycloak"] = Tokens, ["Cognito"] = Tokens, ["IdentityServer"] = Tokens, ["IdentityServerOptions"] = Tokens, ["OpenIdConnect"] = Tokens, ["OpenId"] = Tokens, ["OIDC"] = Tokens,
        ["OAuth"] = Tokens, ["OAuth2"] = Tokens, ["Identity"] = Tokens, ["Auth"] = Tokens, ["Google"] = Tokens, ["Firebase"] = Tokens, ["Duende"] = Tokens, ["OpenIddict"] = Tokens,
        ["AzureAdB2C"] = Tokens, ["EntraId"] = "Microsoft Entra ID stands under AzureAd.", ["MicrosoftEntraId"] = "Microsoft Entra ID stands under AzureAd.", ["AzureAD2"] = Tokens,
        ["Policies"] = Roles, ["AuthorizationPolicies"] = Roles, ["Roles"] = Roles, ["Permissions"] = Roles, ["Casbin"] = Roles,
        ["CorsSettings"] = Origins, ["CorsOptions"] = Origins, ["CorsOrigins"] = Origins, ["AllowedOrigins"] = Origins, ["AllowedCorsOrigins"] = Origins,
        ["Yarp"] = Routes, ["Proxy"] = Routes, ["ReverseProxyOptions"] = Routes, ["Routes"] = Routes, ["Clusters"] = Routes, ["GlobalConfiguration"] = Routes, ["Ocelot"] = Routes, ["ReRoutes"] = Routes,
        ["Redis"] = Shared, ["RedisOptions"] = Shared, ["RedisSettings"] = Shared, ["RedisCache"] = Shared, ["Cache"] = Shared, ["CacheSettings"] = Shared, ["DistributedCache"] = Shared,
        ["DataProtection"] = Shared, ["Garnet"] = Shared, ["Valkey"] = Shared,
        ["AWS"] = Amazon, ["AmazonWebServices"] = Amazon, ["Amazon"] = Amazon, ["DynamoDB"] = Amazon, ["S3"] = Amazon, ["Cloudwatch"] = Amazon, ["AWS.Logging"] = Logs,
        ["Http"] = Server, ["Hosting"] = Server, ["HostOptions"] = Server, ["Server"] = Server, ["IIS"] = Server, ["iisSettings"] = Server, ["HttpSys"] = Server, ["ForwardedHeaders"] = "Write the networks of your proxies under Edge:TrustedProxies.",
        ["Polly"] = Retries, ["Resilience"] = Retries, ["HttpClient"] = Retries, ["RetryPolicy"] = Retries, ["CircuitBreaker"] = Retries,
        ["AppSettings"] = Nothing, ["Settings"] = Nothing, ["Swagger"] = Nothing, ["SwaggerUI"] = Nothing, ["OpenApi"] = Nothing, ["Hangfire"] = Nothing, ["Quartz"] = Nothing, ["MassTransit"] = Nothing,
        ["RabbitMQ"] = Nothing, ["Kafka"] = Nothing, ["MongoDB"] = Nothing, ["EntityFramework"] = Nothing, ["FeatureManagement"] = Nothing, ["FeatureFlags"] = Nothing, ["Features"] = Nothing,
        ["KeyVault"] = Nothing, ["AzureKeyVault"] = Nothing, ["Vault"] = Nothing, ["AppConfiguration"] = Nothing, ["DetailedErrors"] = Nothing, ["Smtp"] = Nothing, ["Email"] = Nothing,
        ["profiles"] = "It is of launchSettings.json, which the gateway does not read. Remove it.",
    };

    /// <summary>What to write instead of a section, or that nothing reads it; null for a name that belongs to no known product.</summary>
    public static string? AdviceFor(string name) => advice.GetValueOrDefault(name);
}
