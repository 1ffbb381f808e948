using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Sections and keys of other libraries, layers of listeners, and files for environments.</summary>
public sealed class OtherProductsTests : IDisposable
{
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("Serilog", "Logging:LogLevel")]
    [InlineData("NLog", "Logging:LogLevel")]
    [InlineData("OpenTelemetry", "OTEL_EXPORTER_OTLP_ENDPOINT")]
    [InlineData("ApplicationInsights", "/metrics")]
    [InlineData("LettuceEncrypt", "Kestrel:Endpoints")]
    [InlineData("IpRateLimiting", "RateLimiting:Policies")]
    [InlineData("IpRateLimitPolicies", "RateLimiting:Policies")]
    [InlineData("HealthChecks-UI", "/health/ready")]
    [InlineData("HealthChecksUI", "/health/ready")]
    [InlineData("Consul", "ReverseProxy:Clusters")]
    [InlineData("Jwt", "Authentication:Schemes")]
    [InlineData("Redis", "ConnectionStrings:Redis")]
    [InlineData("Swagger", "No part of the gateway reads it")]
    [InlineData("serilog", "Logging:LogLevel")]
    public void A12_a_section_of_another_library_says_what_stands_for_it(string section, string expected)
    {
        _configuration.Set(section, """{ "MinimumLevel": "Information" }""");

        var finding = _configuration.LoadBad();

        Assert.Equal(section, finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Did you mean", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ConnectionStrings:PostgreSQL", "\"Host=db\"", "connects to no other store: remove it")]
    [InlineData("ConnectionStrings:RabbitMQ", "\"amqp://mq\"", "connects to no other store: remove it")]
    [InlineData("ConnectionStrings:GatewayDb", "\"Data Source=x\"", "connects to no other store: remove it")]
    [InlineData("Authentication:Authority", "\"https://login.example.com\"", "Authentication:Schemes:NAME")]
    [InlineData("Authentication:Audience", "\"api\"", "Authentication:Schemes:NAME")]
    [InlineData("Authentication:ClientId", "\"gateway\"", "Authentication:Schemes:NAME")]
    [InlineData("Authentication:Schemes:Platform:TokenValidationParameters", "{}", "ValidAudiences stand beside Authority")]
    public void A_key_beside_those_of_the_gateway_says_what_to_do(string key, string json, string expected)
    {
        _configuration.Set(key, json);

        var finding = _configuration.LoadBad();

        Assert.Equal(key, finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ClientRateLimitingOptions")]
    [InlineData("MyManagementApi")]
    [InlineData("SomethingElse")]
    public void A12_a_name_that_is_not_near_has_no_suggestion(string section)
    {
        _configuration.Set(section, "{}");

        Assert.DoesNotContain("Did you mean", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Managment", "Management")]
    [InlineData("Authentification", "Authentication")]
    [InlineData("ReverseProxi", "ReverseProxy")]
    [InlineData("RateLimitting", "RateLimiting")]
    public void A12_a_slip_has_one(string section, string meant)
    {
        _configuration.Set(section, "{}");

        Assert.Contains($"Did you mean \"{meant}\"?", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Scopes", "\"access_as_user\"", "write it as a policy's Scopes")]
    [InlineData("Scopes", """["a", "b"]""", "write it as a policy's Scopes")]
    [InlineData("CallbackPath", "\"/signin-oidc\"", "has no effect here")]
    [InlineData("SignedOutCallbackPath", "\"/signout-callback-oidc\"", "has no effect here")]
    [InlineData("Domain", "\"contoso.onmicrosoft.com\"", "has no effect here")]
    [InlineData("ClientSecret", "\"hush\"", "has no effect here")]
    [InlineData("ClientCredentials", """[{ "SourceType": "ClientSecret", "ClientSecret": "hush" }]""", "has no effect here")]
    [InlineData("ClientCertificates", """[{ "SourceType": "KeyVault", "KeyVaultUrl": "https://hush/" }]""", "has no effect here")]
    [InlineData("TokenDecryptionCertificates", "[]", "has no effect here")]
    [InlineData("SendX5C", "true", "has no effect here")]
    [InlineData("AzureRegion", "\"westeurope\"", "has no effect here")]
    [InlineData("ResponseType", "\"code\"", "has no effect here")]
    [InlineData("SignUpSignInPolicyId", "\"B2C_1_susi\"", "Authentication:Schemes")]
    [InlineData("callbackpath", "\"/signin-oidc\"", "has no effect here")]
    public void A11_a_key_of_signing_in_is_a_warning_that_shows_no_value(string key, string json, string expected)
    {
        _configuration.Set($"AzureAd:{key}", json);

        var result = _configuration.Load();

        Assert.NotNull(result.Snapshot);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((Severity.Warning, $"AzureAd:{key}"), (finding.Severity, finding.Key), new KeyComparer());
        Assert.Contains(expected, finding.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("hush", finding.ToString() + string.Concat(result.Snapshot!.Values.Values), StringComparison.Ordinal);
    }

    [Fact]
    public void A11_a_misspelt_key_is_an_error_still()
    {
        _configuration.Set("AzureAd:TenantID2", "\"x\"");

        Assert.Contains("Did you mean \"TenantId\"?", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void F11_endpoints_of_a_later_layer_replace_Urls_of_an_earlier_one()
    {
        _configuration.Write("appsettings.Production.json", """{ "Kestrel": { "Endpoints": { "Http": { "Url": "http://localhost:8081" } } } }""");

        Assert.False(_configuration.LoadGood().Values.ContainsKey("Urls"));
    }

    [Theory]
    [InlineData("""{ "Urls": "http://localhost:8082", "Kestrel": { "Endpoints": { "Http": { "Url": "http://localhost:8081" } } } }""")]
    [InlineData("""{ "Urls": null, "Kestrel": { "Endpoints": { "Http": { "Url": "http://localhost:8081" } } } }""")]
    [InlineData("""{ "Kestrel": { "Endpoints": { } } }""")]
    [InlineData("""{ "Kestrel": { "Limits": { "MaxConcurrentConnections": 5 } } }""")]
    public void F11_one_layer_with_both_is_an_error_and_others_are_as_they_were(string json)
    {
        _configuration.Write("appsettings.Production.json", json);
        if (json.Contains("8082", StringComparison.Ordinal)) Assert.Equal("Urls", _configuration.LoadBad().Key);
        else Assert.Equal(!json.Contains("null", StringComparison.Ordinal), _configuration.LoadGood().Values.ContainsKey("Urls"));
    }

    [Fact]
    public void F11_variables_and_the_command_line_are_later_layers()
    {
        _configuration.Variables["Kestrel__Endpoints__Http__Url"] = "http://localhost:8081";
        Assert.False(_configuration.LoadGood().Values.ContainsKey("Urls"));

        _configuration.Arguments.AddRange(["--Urls", "http://localhost:8082"]);
        Assert.Equal("Urls", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://*:7000", "http://*:7000")]
    [InlineData("DOTNET_URLS", "http://*:7000", "http://*:7000")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "8080", "http://*:8080")]
    [InlineData("DOTNET_HTTP_PORTS", "7000;7001", "http://*:7000;http://*:7001")]
    [InlineData("ASPNETCORE_HTTPS_PORTS", "7443", "https://*:7443")]
    [InlineData("URLS", "http://*:7000", "http://*:7000")]
    public void A17_a_variable_of_the_host_is_used_where_nothing_else_says_it(string name, string value, string urls)
    {
        WithCertificate().Set("Urls", null);
        _configuration.Variables[name] = value;

        Assert.Equal(urls, _configuration.LoadGood().Options.Urls);
    }

    [Fact]
    public void A17_ports_of_both_kinds_are_used_and_addresses_before_ports()
    {
        WithCertificate().Set("Urls", null);
        _configuration.Variables["ASPNETCORE_HTTP_PORTS"] = "7000";
        _configuration.Variables["ASPNETCORE_HTTPS_PORTS"] = "7443";
        Assert.Equal("http://*:7000;https://*:7443", _configuration.LoadGood().Options.Urls);

        _configuration.Variables["ASPNETCORE_URLS"] = "http://*:7001";
        Assert.Equal("http://*:7001", _configuration.Load().Snapshot!.Options.Urls);
        Assert.Equal(2, _configuration.Load().Findings.Count);
    }

    [Theory]
    [InlineData("A17 one kind under both prefixes", "ASPNETCORE_HTTP_PORTS=7000 DOTNET_HTTP_PORTS=7001", "http://*:7000", "DOTNET_HTTP_PORTS")]
    [InlineData("A17 the same port under both prefixes", "DOTNET_HTTP_PORTS=7000 ASPNETCORE_HTTP_PORTS=7000", "http://*:7000", "DOTNET_HTTP_PORTS")]
    [InlineData("A17 each kind under another prefix", "DOTNET_HTTP_PORTS=7000 ASPNETCORE_HTTPS_PORTS=7443", "http://*:7000;https://*:7443", null)]
    [InlineData("A17 secure ports under both prefixes", "ASPNETCORE_HTTPS_PORTS=7443 DOTNET_HTTPS_PORTS=7444", "https://*:7443", "DOTNET_HTTPS_PORTS")]
    [InlineData("A17 one port twice", "ASPNETCORE_HTTP_PORTS=7000;7000", "http://*:7000", null)]
    public void A17_of_one_kind_the_variable_of_ASP_NET_Core_is_used_alone(string name, string variables, string urls, string? unused)
    {
        WithCertificate().Set("Urls", null);
        foreach (var variable in variables.Split(' ')) _configuration.Variables[variable.Split('=')[0]] = variable.Split('=')[1];

        var read = _configuration.Load();

        Assert.Equal((name, urls), (name, read.Snapshot!.Options.Urls));
        Assert.Equal(unused is null ? [] : [$"environment variable {unused}"], read.Findings.Select(finding => finding.Source));
    }

    [Theory]
    [InlineData("ASPNETCORE_URLS", "http://*:7000", true)]
    [InlineData("DOTNET_URLS", "http://*:7000", true)]
    [InlineData("ASPNETCORE_HTTP_PORTS", "7000", true)]
    [InlineData("ASPNETCORE_HTTPS_PORTS", "7443", true)]
    [InlineData("ASPNETCORE_HTTP_PORTS", "8080", false)]
    [InlineData("ASPNETCORE_URLS", "", false)]
    public void A17_a_variable_that_a_file_replaces_is_a_warning_but_for_the_container_images_own(string name, string value, bool isWarning)
    {
        _configuration.Variables[name] = value;

        var result = _configuration.Load();

        Assert.Equal("http://localhost:8080", result.Snapshot!.Options.Urls);
        if (!isWarning) Assert.Empty(result.Findings);
        else Assert.Equal(
            (Severity.Warning, "Urls", $"environment variable {name}"), (result.Findings.Single().Severity, result.Findings[0].Key, result.Findings[0].Source));

        _configuration.Set("Urls", null).Set("Kestrel:Endpoints:Http:Url", "\"http://localhost:8081\"");
        Assert.Equal(isWarning ? 1 : 0, _configuration.Load().Findings.Count);
    }

    [Theory]
    [InlineData("null", "ASPNETCORE_URLS", "http://*:7000", "says that Urls is null, and the gateway listens on http://localhost:8080")]
    [InlineData("null", "DOTNET_HTTP_PORTS", "7000", "says that Urls is null, and the gateway listens on http://localhost:8080")]
    [InlineData("\"http://localhost:8081\"", "ASPNETCORE_URLS", "http://*:7000", "says where the gateway listens")]
    public void A17_a_variable_that_a_null_removes_is_a_warning_that_says_what_is_used(string urls, string name, string value, string message)
    {
        _configuration.Write("appsettings.Production.json", $$"""{ "Urls": {{urls}} }""");
        _configuration.Variables[name] = value;

        var read = _configuration.Load();
        var finding = Assert.Single(read.Findings);
        Assert.NotNull(read.Snapshot);
        Assert.Equal((Severity.Warning, "Urls", $"environment variable {name}"), (finding.Severity, finding.Key, finding.Source));
        Assert.Contains($"appsettings.Production.json:1 {message}", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\"", "names no address")]
    [InlineData("\"nowhere\"", "not an address to listen on")]
    [InlineData("\"http://localhost:8081;http://localhost:8081\"", "another listener")]
    public void A17_a_variable_without_effect_hides_no_error(string urls, string message)
    {
        _configuration.Set("Urls", urls);
        _configuration.Variables["ASPNETCORE_URLS"] = "http://*:7000";

        Assert.Contains(
            _configuration.Load().Findings,
            finding => finding is { Severity: Severity.Error, Key: "Urls" } && finding.Message.Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("ASPNETCORE_HTTP_PORTS", "http")]
    [InlineData("ASPNETCORE_HTTP_PORTS", "8080,8081")]
    [InlineData("ASPNETCORE_HTTPS_PORTS", "https://*:8443")]
    [InlineData("DOTNET_HTTP_PORTS", "70000")]
    [InlineData("DOTNET_HTTP_PORTS", "7000;-1")]
    public void A17_a_port_that_is_none_is_an_error(string name, string value)
    {
        WithCertificate().Set("Urls", null);
        _configuration.Variables[name] = value;

        var finding = _configuration.LoadBad();
        Assert.Equal(("Urls", $"environment variable {name}"), (finding.Key, finding.Source));
        Assert.Contains("not a port", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "ASPNETCORE_Kestrel__Certificates__Default__Path", "/https/tls.pfx", "Kestrel:Certificates:Default:Path", "Kestrel__Certificates__Default__Path")]
    [InlineData("ASPNETCORE_Kestrel__Endpoints__Https__Url", "https://*:8443", "Kestrel:Endpoints:Https:Url", "Kestrel__Endpoints__Https__Url")]
    [InlineData("DOTNET_Logging__LogLevel__Default", "Debug", "Logging:LogLevel:Default", "Logging__LogLevel__Default")]
    [InlineData("aspnetcore_allowedhosts", "api.example.com", "allowedhosts", "allowedhosts")]
    [InlineData("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true", "Edge:TrustedProxies", "Edge:TrustedProxies")]
    [InlineData("DOTNET_SHUTDOWNTIMEOUTSECONDS", "60", "Shutdown:Timeout", "Shutdown:Timeout")]
    public void A17_a_variable_with_a_prefix_that_would_set_something_is_a_warning(string name, string value, string key, string instead)
    {
        _configuration.Variables[name] = value;

        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((Severity.Warning, key, $"environment variable {name}"), (finding.Severity, finding.Key, finding.Source));
        Assert.Contains($"has no effect: write {instead}", finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hush", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ASPNETCORE_VERSION", "10.0.0")]
    [InlineData("DOTNET_RUNNING_IN_CONTAINER", "true")]
    [InlineData("DOTNET_gcServer", "1")]
    [InlineData("ASPNETCORE_MyApp__Url", "x")]
    public void A17_a_variable_of_the_runtime_is_no_finding(string name, string value)
    {
        _configuration.Variables[name] = value;

        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("prod", "Production", "Did you mean \"Production\"")]
    [InlineData("production", "Production", "Did you mean \"Production\"")]
    [InlineData("Prodution", "Production", "Did you mean \"Production\"")]
    [InlineData("Staging", "Stagging", "Did you mean \"Stagging\"")]
    [InlineData("eu-west-1", "Production", "appsettings.Production.json")]
    [InlineData("qa", null, "Write the file")]
    public void F12_an_environment_without_its_file_is_a_warning(string environment, string? file, string expected)
    {
        if (file is not null) _configuration.Write($"appsettings.{file}.json", "{}");

        var result = _configuration.Load(environment);

        Assert.NotNull(result.Snapshot);
        Assert.Contains(expected, Assert.Single(result.Findings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void F12_the_layers_that_were_read_are_known()
    {
        _configuration.Variables["Shutdown__Timeout"] = "00:00:40";

        string[] read = [.. _configuration.Load().Layers.Select(layer => layer.ToString())];

        Assert.Matches(@"^appsettings\.json \(\d+ keys\)$", read[0]);
        Assert.Equal(["appsettings.Production.json (not there)", "environment variables (1 key)", "command line (no keys)"], read[1..]);
    }

    private sealed class KeyComparer : IEqualityComparer<(Severity Severity, string Key)>
    {
        public bool Equals((Severity Severity, string Key) one, (Severity Severity, string Key) other) =>
            one.Severity == other.Severity && one.Key.Equals(other.Key, StringComparison.OrdinalIgnoreCase);

        public int GetHashCode((Severity Severity, string Key) value) => value.Severity.GetHashCode();
    }

    private ConfigurationFixture WithCertificate() =>
        _configuration.WriteCertificate().Set("Kestrel:Certificates:Default", """{ "Path": "a.crt", "KeyPath": "a.key" }""");
}
