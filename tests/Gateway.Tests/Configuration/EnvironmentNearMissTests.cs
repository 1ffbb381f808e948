using Gateway.Configuration.Schema;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A variable that was probably meant for the gateway, and is not read, is a warning. Those of other programs are not.</summary>
public sealed class EnvironmentNearMissTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("AllowedHost", "AllowedHosts", "AllowedHosts")]
    [InlineData("ALLOWED_HOSTS", "AllowedHosts", "AllowedHosts")]
    [InlineData("AlowedHosts", "AllowedHosts", "AllowedHosts")]
    [InlineData("Urlss", "Urls", "Urls")]
    [InlineData("Edge_TrustedProxies_0", "Edge:TrustedProxies:0", "Edge__TrustedProxies__0")]
    [InlineData("Edge_TrustedProxies__0", "Edge:TrustedProxies:0", "Edge__TrustedProxies__0")]
    [InlineData("EDGE_TRUSTED_PROXIES", "Edge:TrustedProxies", "Edge__TrustedProxies")]
    [InlineData("Edge.TrustedProxies.0", "Edge:TrustedProxies:0", "Edge__TrustedProxies__0")]
    [InlineData("ConnectionStrings_Redis", "ConnectionStrings:Redis", "ConnectionStrings__Redis")]
    [InlineData("CONNECTION_STRINGS_REDIS", "ConnectionStrings:Redis", "ConnectionStrings__Redis")]
    [InlineData("Sealing_KeyPath", "Sealing:KeyPath", "Sealing__KeyPath")]
    [InlineData("SEALING_KEY_PATH", "Sealing:KeyPath", "Sealing__KeyPath")]
    [InlineData("Management_Url", "Management:Url", "Management__Url")]
    [InlineData("AUTHENTICATION_SCHEMES_Platform_AUTHORITY", "Authentication:Schemes:Platform:Authority", "Authentication__Schemes__Platform__Authority")]
    [InlineData("ReverseProxy_Routes_a_ClusterId", "ReverseProxy:Routes:a:ClusterId", "ReverseProxy__Routes__a__ClusterId")]
    [InlineData("Kestrel_Endpoints_Http_Url", "Kestrel:Endpoints:Http:Url", "Kestrel__Endpoints__Http__Url")]
    [InlineData("GATEWAY_CONFG", "GATEWAY_CONFIG", "GATEWAY_CONFIG")]
    [InlineData("ASPNETCORE_ENVIROMENT", "ASPNETCORE_ENVIRONMENT", "ASPNETCORE_ENVIRONMENT")]
    public void A_near_miss_is_told(string variable, string key, string instead)
    {
        _configuration.Variables[variable] = "1";

        var result = _configuration.Load();

        var finding = Assert.Single(result.Findings, finding => finding.Source == $"environment variable {variable}");
        Assert.Equal(Severity.Warning, finding.Severity);
        Assert.Equal(key, finding.Key);
        Assert.Equal($"has no effect: write {instead} instead, or remove the variable.", finding.Message);
        Assert.NotNull(result.Snapshot);
    }

    [Fact]
    public void A_containers_other_variables_are_no_near_misses()
    {
        const string others = """
            PATH HOME HOSTNAME PWD OLDPWD SHLVL _ TERM LANG LC_ALL TZ USER LOGNAME SHELL TMPDIR APP_UID PORT HOST URL URI API_URL BASE_URL
            LOG_LEVEL LOGGING_LEVEL LOGGING_LEVEL_ROOT EDITOR DEBUG VERSION NODE_ENV HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy
            no_proxy ALL_PROXY SSL_CERT_DIR SSL_CERT_FILE DOTNET_VERSION ASPNET_VERSION DOTNET_RUNNING_IN_CONTAINER
            DOTNET_SYSTEM_GLOBALIZATION_INVARIANT DOTNET_GCHeapHardLimit DOTNET_TieredPGO DOTNET_EnableDiagnostics DOTNET_gcServer
            DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO DOTNET_ROOT DOTNET_ENVIRONMENT ASPNETCORE_ENVIRONMENT ASPNETCORE_HTTPS_PORT
            ASPNETCORE_CONTENTROOT ASPNETCORE_HOSTINGSTARTUPASSEMBLIES ASPNETCORE_DETAILEDERRORS KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
            KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT KUBERNETES_PORT_443_TCP_ADDR POD_NAME POD_NAMESPACE POD_IP NODE_NAME GOMAXPROCS
            AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE
            AWS_STS_REGIONAL_ENDPOINTS AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE AWS_EXECUTION_ENV AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_IOT ECS_CONTAINER_METADATA_URI
            ECS_CONTAINER_METADATA_URI_V4 ECS_AGENT_URI AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_FEDERATED_TOKEN_FILE AZURE_AUTHORITY_HOST
            IDENTITY_ENDPOINT IDENTITY_HEADER MSI_ENDPOINT MSI_SECRET CONTAINER_APP_NAME CONTAINER_APP_REVISION CONTAINER_APP_HOSTNAME
            CONTAINER_APP_PORT CONTAINER_APP_REPLICA_NAME WEBSITE_SITE_NAME WEBSITE_HOSTNAME APPSETTING_WEBSITE_AUTH_ENABLED
            APPLICATIONINSIGHTS_CONNECTION_STRING OTEL_EXPORTER_OTLP_ENDPOINT OTEL_SERVICE_NAME OTEL_RESOURCE_ATTRIBUTES INVOCATION_ID
            JOURNAL_STREAM SYSTEMD_EXEC_PID NOTIFY_SOCKET MEMORY_PRESSURE_WATCH CREDENTIALS_DIRECTORY RUNTIME_DIRECTORY LOGS_DIRECTORY CI
            GITHUB_ACTIONS GITHUB_REF RUNNER_OS REDIS_URL REDIS_HOST REDIS_PASSWORD DATABASE_URL JAVA_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR
            LS_COLORS COLORTERM SSH_AUTH_SOCK SSH_CONNECTION SSL_VERSION MAIL LESSOPEN DISPLAY WSL_DISTRO_NAME GATEWAY_VERSION GATEWAY_URL
            SERVICE_NAME SERVICES
            """;
        // Kubernetes gives a container the addresses of each service of its namespace.
        string[] services = [.. RootSchema.Value.Members.Keys, "REDIS", "GATEWAY", "IOT_GATEWAY", "IOT_GATEWAY_MANAGEMENT", "ORGANIZATIONS"];
        string[] ends =
        [
            "PORT", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_HTTP", "SERVICE_PORT_MANAGEMENT",
            "PORT_8080_TCP", "PORT_8080_TCP_ADDR", "PORT_8080_TCP_PORT", "PORT_8080_TCP_PROTO",
        ];
        var links = services.SelectMany(service => ends.Select(end => $"{service}_{end}".ToUpperInvariant()));
        foreach (var name in others.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Concat(links)) _configuration.Variables[name] = "1";

        var findings = _configuration.Load().Findings.Where(static finding => finding.Message.Contains("has no effect", StringComparison.Ordinal));

        Assert.Empty(findings);
    }
}
