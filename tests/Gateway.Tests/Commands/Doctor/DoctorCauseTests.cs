using System.Net;
using System.Net.Sockets;
using IotCredentials.Aws;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Doctor;

/// <summary><c>doctor</c> says the cause: which address, and what it is that does not work.</summary>
public sealed class DoctorCauseTests(DoctorTests.Shared shared) : IClassFixture<DoctorTests.Shared>
{
    private World World => shared.World;

    [Fact]
    public async Task F16_a_service_that_hangs_is_not_ok_and_a_cluster_that_no_route_uses_is_a_warning()
    {
        using var hanging = new TcpListener(IPAddress.Loopback, 0);
        hanging.Start();
        var (port, closed) = (((IPEndPoint)hanging.LocalEndpoint).Port, FreePort.Find());

        var (exitCode, rows, output) = await Examination.RunAsync(World, settings => settings
            .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"http://127.0.0.1:{port}/\"")
            .Set("ReverseProxy:Clusters:organizations:HealthCheck", """{ "Active": { "Enabled": true, "Path": "/health", "Policy": "ConsecutiveFailures" } }""")
            .Set("ReverseProxy:Clusters:spare", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{closed}}/" } } }"""), timeout: 10);

        Assert.Equal(1, exitCode);
        Assert.Equal("failed", rows["destination organizations/a"].Outcome);
        Assert.Matches(
            $"^no response within 10 s: 127.0.0.1:{port}, connected in [0-9]+ ms, but GET /health gets no response: the service hangs$",
            rows["destination organizations/a"].Found);
        Assert.True(rows["destination spare/a"] == ("warning", $"127.0.0.1:{closed}: Connection refused (no route uses the cluster)"), output);
    }

    [Theory]
    [InlineData(
        "F16 a health path that says no", """{ "Active": { "Enabled": true, "Path": "/status/503", "Policy": "ConsecutiveFailures" } }""",
        "failed", "GET /status/503 503: the active health check accepts only 2xx")]
    [InlineData(
        "F16 a health path that says yes",
        """{ "Active": { "Enabled": true, "Path": "/health", "Policy": "ConsecutiveFailures" } }""", "ok", "GET /health 200")]
    [InlineData(
        "F16 a health check that is off", """{ "Active": { "Enabled": false, "Path": "/status/503", "Policy": "ConsecutiveFailures" } }""", "ok", "GET / 200")]
    public async Task A_destination_is_asked_as_its_active_health_check_asks(string name, string healthCheck, string outcome, string found)
    {
        var (_, rows, output) = await Examination.RunAsync(
            World, settings => settings.Set("ReverseProxy:Clusters:organizations:HealthCheck", healthCheck));

        Assert.True(rows["destination organizations/a"].Outcome == outcome, $"{name}: {output}");
        Assert.EndsWith(found, rows["destination organizations/a"].Found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_destination_that_names_a_service_is_checked_at_the_services_address_with_its_own_path()
    {
        var service = new Uri(World.Downstream.Url).Authority;

        var (_, rows, output) = await Examination.RunAsync(World, settings => settings
            .Set("Services:devices:Http", $"""["{service}"]""")
            .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"http://devices/status/\"")
            .Set("ReverseProxy:Clusters:organizations:HealthCheck", """{ "Active": { "Enabled": true, "Path": "/503", "Policy": "ConsecutiveFailures" } }"""));

        Assert.True(rows["destination organizations/a"].Outcome == "failed", output);
        Assert.StartsWith($"{service}, connected in ", rows["destination organizations/a"].Found, StringComparison.Ordinal);
        Assert.Contains("GET /status/503 503", rows["destination organizations/a"].Found, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<string, string, string?, string>> Proxies => Sample.Of<TheoryDataRow<string, string, string?, string>>(2,
    [
        new("F16 a proxy that is not there", "http://service.invalid/", "PROXY",
            "service.invalid:80, GET /: Connection refused (127.0.0.1:PORT) through the proxy 127.0.0.1:PORT"),
        new("F16 a proxy that is not there, for TLS", "https://service.invalid/", "PROXY",
            "service.invalid:443, GET /: Connection refused (127.0.0.1:PORT) through the proxy 127.0.0.1:PORT"),
        new("F16 a tunnel that is refused", "https://service.invalid/", "http://user:hunter2@127.0.0.1:SERVICE",
            "the proxy 127.0.0.1:SERVICE does not let it pass (404)"),
        new("F16 a service behind the environment's proxy, which services are not asked through", "http://127.0.0.1:PORT/", null,
            "127.0.0.1:PORT: Connection refused"),
    ]);

    [Theory]
    [MemberData(nameof(Proxies))]
    public async Task A_destination_behind_a_proxy_is_told_with_the_proxy_that_fails(string name, string address, string? proxy, string found)
    {
        var (closed, service) = ($"{FreePort.Find()}", $"{new Uri(World.Issuer.Issuer).Port}");
        string Filled(string text) => text.Replace("PROXY", "http://user:hunter2@127.0.0.1:PORT", StringComparison.Ordinal)
            .Replace("PORT", closed, StringComparison.Ordinal).Replace("SERVICE", service, StringComparison.Ordinal);

        var (exitCode, rows, output) = await Examination.RunAsync(World, settings =>
        {
            settings.Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"{Filled(address)}\"");
            if (proxy is not null) settings.Set("ReverseProxy:Clusters:organizations:HttpClient:WebProxy:Address", $"\"{Filled(proxy)}\"");
        }, variables: World.Aws.EnvironmentVariables.Append(new("HTTP_PROXY", "http://127.0.0.1:1")).Append(new("NO_PROXY", "localhost")));

        Assert.True(exitCode == 1 && rows["destination organizations/a"].Outcome == "failed", $"{name}: {output}");
        Assert.EndsWith(Filled(found), rows["destination organizations/a"].Found, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
    }

    public static IEnumerable<TheoryDataRow<string, string, string?, string>> Issuers => Sample.Of<TheoryDataRow<string, string, string?, string>>(2,
    [
        new("F16 no discovery document there", "AUTHORITY/nowhere", null, "AUTHORITY/nowhere/.well-known/openid-configuration: its status is 404"),
        new("a user, a password and a query in the address", "http://user:hunter2@127.0.0.1:PORT/x?key=hunter2", null,
            "http://127.0.0.1:PORT/x: Connection refused (127.0.0.1:PORT)"),
        new("F16 a name that does not resolve", "http://id.invalid", null,
            "http://id.invalid/.well-known/openid-configuration: the name id.invalid does not resolve"),
        new("F16 a port that speaks no TLS", "HTTPS", null, "/.well-known/openid-configuration: the TLS handshake failed: the port may speak no TLS"),
        new("F16 a proxy that is not there", "http://id.example.com", "http://user:hunter2@127.0.0.1:PORT",
            "http://id.example.com/.well-known/openid-configuration: Connection refused (127.0.0.1:PORT) through the proxy 127.0.0.1:PORT"),
        new("F16 a tunnel that is refused", "https://id.example.com", "http://user:hunter2@127.0.0.1:SERVICE",
            "the proxy 127.0.0.1:SERVICE does not let it pass (404)"),
    ]);

    [Theory]
    [MemberData(nameof(Issuers))]
    public async Task An_issuer_that_fails_is_told_with_its_address_and_the_cause(string name, string authority, string? proxy, string found)
    {
        var (closed, service) = ($"{FreePort.Find()}", new Uri(World.Issuer.Issuer).Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        string Filled(string text) => text.Replace("AUTHORITY", World.Issuer.Issuer, StringComparison.Ordinal)
            .Replace("HTTPS", World.Issuer.Issuer.Replace("http:", "https:", StringComparison.Ordinal), StringComparison.Ordinal)
            .Replace("PORT", closed, StringComparison.Ordinal)
            .Replace("SERVICE", service, StringComparison.Ordinal);
        IEnumerable<KeyValuePair<string, string>>? variables = proxy is null
            ? null
            :
            [
                .. World.Aws.EnvironmentVariables,
                new("HTTP_PROXY", Filled(proxy)), new("HTTPS_PROXY", Filled(proxy)), new("NO_PROXY", "127.0.0.1,localhost"),
            ];

        var (exitCode, rows, output) = await Examination.RunAsync(
            World, settings => settings.Set("Authentication:Schemes:Platform:Authority", $"\"{Filled(authority)}\""), variables: variables);

        Assert.Equal(1, exitCode);
        Assert.True(rows["issuer Platform"].Outcome == "failed", $"{name}: {output}");
        Assert.Contains(Filled(found), rows["issuer Platform"].Found, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "F16 no web identity file",
        "AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/token AWS_ROLE_ARN=arn:aws:iam::111122223333:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE names /nowhere/token, which is not there")]
    [InlineData(
        "F16 a device",
        "AWS_WEB_IDENTITY_TOKEN_FILE=/dev/null AWS_ROLE_ARN=arn:aws:iam::111122223333:role/r",
        "AWS_WEB_IDENTITY_TOKEN_FILE names /dev/null, which is a named pipe, a socket or a device, not a file")]
    [InlineData("F16 one without a role", "AWS_WEB_IDENTITY_TOKEN_FILE=/etc/hostname", "AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not")]
    [InlineData(
        "F16 a profile that is nowhere",
        "AWS_PROFILE=prod AWS_SHARED_CREDENTIALS_FILE=/nowhere/a AWS_CONFIG_FILE=/nowhere/b",
        "AWS_PROFILE names prod, which is in none of /nowhere/a, /nowhere/b")]
    [InlineData(
        "F16 no file of a container",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=/nowhere/token",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names /nowhere/token, which is not there")]
    [InlineData("F16 half a key", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not")]
    [InlineData("F16 the other half", "AWS_SECRET_ACCESS_KEY=x", "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not")]
    [InlineData(
        "F16 a whole key beside a file that is not there", "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/token", null)]
    [InlineData("F16 nothing is said", "AWS_REGION=eu-west-1", null)]
    public void An_AWS_source_that_is_named_and_not_there_is_said_by_its_variable(string name, string variables, string? problem)
    {
        var found = AwsSources.Of(
            variables.Split(' ').Select(variable => variable.Split('=', 2)).ToDictionary(variable => variable[0], string? (variable) => variable[1])).Problem;

        Assert.True(found == problem, $"{name}: {found}");
    }

    [Fact]
    public async Task F16_a_missing_web_identity_file_is_said_at_once()
    {
        var variables = World.Aws.EnvironmentVariables.Where(variable => variable.Key.Contains("URL", StringComparison.Ordinal))
            .Append(new("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")).Append(new("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r"));

        var (exitCode, rows, _) = await Examination.RunAsync(World, variables: variables);

        Assert.Equal(1, exitCode);
        Assert.Equal(("failed", "AWS_WEB_IDENTITY_TOKEN_FILE names /nowhere/token, which is not there"), rows["STS ap-northeast-1"]);
    }
}
