using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>
/// A secret in every place where a configuration, a variable or a peer's response can hold one: none is in a log at Trace, a metric, a span, readiness, or what
/// <c>check</c>, <c>explain</c> and <c>doctor</c> print.
/// </summary>
public sealed class PlantedSecretTests
{
    private readonly List<(string Place, string Secret)> _planted = [];

    public static TheoryData<string, string, int, string> Bodies => new()
    {
        { "D4 a proxy's page", "AssumeRole", 502, "<html><head><title>SECRET</title></head><body><h1>Bad gateway</h1>password=SECRET</body></html>" },
        { "D4 a page with the status of a refusal", "AssumeRole", 403, "<html><body>SECRET</body></html>" },
        { "D4 a page that says it is well", "AssumeRole", 200, "<html><body>SECRET</body></html>" },
        {
            "D4 STS's answer, cut off", "AssumeRole", 200,
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>"
                + "<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>SECRET</SecretAccessKey><SessionToken>SECRET"
        },
        {
            "D4 STS's error, cut off", "AssumeRole", 400,
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Code>ValidationError</Code><Message>SECRET"
        },
        {
            "D4 a secret in STS's message", "AssumeRole", 403,
            "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code>"
                + "<Message>The Canonical String should have been x-amz-security-token:SECRET</Message></Error></ErrorResponse>"
        },
        { "D4 a secret in STS's code", "AssumeRole", 403, "<ErrorResponse><Error><Code>SECRET</Code><Message>no</Message></Error></ErrorResponse>" },
        {
            "D4 a secret in STS's request id", "AssumeRole", 403,
            "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error><RequestId>SECRET</RequestId></ErrorResponse>"
        },
        {
            "D4 a role that is denied in a sentence", "AssumeRole", 403,
            "<ErrorResponse><Error><Code>AccessDenied</Code>"
                + "<Message>User: SECRET is not authorized to perform: sts:AssumeRole on resource: SECRET</Message></Error></ErrorResponse>"
        },
        { "D4 JSON where XML is due", "AssumeRole", 500, """{ "Error": { "Code": "SECRET", "Message": "SECRET" }, "SecretAccessKey": "SECRET" }""" },
        {
            "D4 a session without its end", "AssumeRole", 200,
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>SECRET</SecretAccessKey>"
                + "<SessionToken>SECRET</SessionToken><Expiration>SECRET</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        },
        { "D4 a megabyte", "AssumeRole", 400, "<html>MEGABYTE</html>" },
        { "D4 a megabyte that says it is well", "AssumeRole", 200, "MEGABYTE" },
        { "D4 AWS IoT's error", "DescribeEndpoint", 403, """{ "message": "SECRET", "__type": "UnauthorizedException", "token": "SECRET" }""" },
        { "D4 a secret in AWS IoT's type", "DescribeEndpoint", 403, """{ "message": "no", "__type": "SECRET" }""" },
        { "D4 AWS IoT's error, cut off", "DescribeEndpoint", 500, """{ "message": "SECRET""" },
        { "D4 XML where JSON is due", "DescribeEndpoint", 403, "<Error><Code>AccessDenied</Code><Message>SECRET</Message></Error>" },
        { "D4 AWS IoT's answer, cut off", "DescribeEndpoint", 200, """{ "endpointAddress": "SECRET""" },
        { "D4 an endpoint that is none", "DescribeEndpoint", 200, """{ "endpointAddress": "https://user:SECRET@abc/" }""" },
        { "D4 a megabyte of AWS IoT", "DescribeEndpoint", 400, """{ "message": "MEGABYTE" }""" },
    };

    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task D4_what_a_peer_sends_is_a_status_and_a_kind(string name, string action, int status, string body)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis().Set("Logging:LogLevel:Default", "\"Trace\""));
        var secret = Plant(name);
        world.Aws.Inject(
            AwsFault.Response(
                status,
                body.Replace("MEGABYTE", string.Concat(Enumerable.Repeat($"{secret} ", 1024 * 1024 / secret.Length)), StringComparison.Ordinal)
                    .Replace("SECRET", secret, StringComparison.Ordinal)),
            action);

        var answer = await gateway.VendAsync("o-acme");

        Assert.Equal(503, answer.Status);
        await gateway.Log.WaitForAsync(LogLevel.Error, "");
        var told = gateway.Log.Text.Split('\n').Where(line => line.StartsWith("Error ", StringComparison.Ordinal)).ToList();
        Assert.All(told, line => Assert.InRange(line.Length, 1, 600));
        var cause = name.Contains("megabyte", StringComparison.Ordinal) ? "the response is longer than the gateway reads" : $"{status}";
        Assert.True(told is [_] && (status == 200 || told[0].Contains(cause, StringComparison.Ordinal)), string.Join('\n', told));
        Search(("the log", gateway.Log.Text), ("the response", answer.Body), ("a span or a metric", string.Join('\n', IssuedSecrets.Leaks)));
    }

    [Fact]
    public async Task D3_D4_S7_no_planted_secret_is_told_by_a_gateway_whose_every_peer_fails()
    {
        await using var world = await World.StartAsync();
        await using var agent = await CredentialAgent.StartAsync(world.Aws);
        await using var proxy = new StubTcpServer(
            $"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"{Plant("a proxy's realm")}\"\r\nContent-Length: 0\r\n\r\n",
            closes: true);
        await using var plainProxy = new StubTcpServer(
            $"HTTP/1.1 502 {Plant("a proxy's reason")}\r\nX-Secret: {Plant("a proxy's header")}\r\n"
                + $"Connection: close\r\n\r\n<html>{Plant("a proxy's page")}</html>",
            closes: true);
        await using var redis = new StubTcpServer($"-ERR {Plant("Redis's error")}\r\n");
        await using var issuer = new StubTcpServer(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
                + $"{{ \"issuer\": \"https://user:{Plant("a discovery document")}@id.example.com\", ",
            closes: true);
        await using var collector = new StubTcpServer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: application/x-protobuf\r\n\r\n");
        agent.Instead = (500, $$"""{ "code": "Failed", "message": "{{Plant("the agent's response")}}", "SecretAccessKey": "{{Plant("the agent's key")}}" }""");

        // Two issuers of https, which go through a proxy, and one that answers nonsense; a Redis that refuses; a service behind a proxy of its own.
        var folder = world.Folder(settings => settings
            .Set("Logging:LogLevel:Default", "\"Trace\"")
            .Set("IotCredentials:Timeout", "\"00:00:10\"")
            .Set("ConnectionStrings:Redis", $"\"127.0.0.1:{redis.Port},user=gateway,password={Plant("a connection string")}\"")
            .Set(
                "Authentication:Schemes:Secured",
                $$"""{ "Authority": "https://user:{{Plant("an issuer's address")}}@id.example.invalid/?key={{Plant("an issuer's query")}}","""
                    + """ "ValidAudiences": ["a"], "ValidIssuers": ["https://secured.example.com"] }""")
            .Set(
                "Authentication:Schemes:Odd",
                $$"""{ "Authority": "http://127.0.0.1:{{issuer.Port}}", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""")
            .Set(
                "AzureAd",
                """{ "TenantId": "11111111-1111-1111-1111-111111111111", "ClientId": "22222222-2222-2222-2222-222222222222","""
                    + $$""" "ClientSecret": "{{Plant("a client secret")}}" }""")
            .Set(
                "ReverseProxy:Clusters:proxied",
                $$"""{ "HttpClient": { "WebProxy": { "Address": "http://user:{{Plant("a cluster's proxy")}}@127.0.0.1:{{plainProxy.Port}}" } },"""
                    + """ "Destinations": { "a": { "Address": "http://service.example.invalid/" } } }""")
            .Route("proxied", "/proxied/{**rest}", """{ "ClusterId": "proxied" }"""));
        folder.Write("agent-token", Plant("the agent's token"));
        folder.Write("aws-config", $"[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {Plant("a profile's key")}\n");
        var environment = new Dictionary<string, string>
        {
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] =
                $"{agent.Url.Replace("http://", $"http://user:{Plant("the agent's address")}@", StringComparison.Ordinal)}"
                + $"/credentials?key={Plant("the agent's query")}",
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = Path.Combine(folder.Path, "agent-token"),
            ["AWS_REGION"] = "ap-northeast-1",
            ["AWS_CONFIG_FILE"] = "/nowhere",
            ["AWS_ENDPOINT_URL_STS"] = world.Aws.Url.Replace("http://", $"http://user:{Plant("the address of STS")}@", StringComparison.Ordinal),
            ["AWS_ENDPOINT_URL_IOT"] = world.Aws.Url.Replace("http://", $"http://user:{Plant("the address of AWS IoT")}@", StringComparison.Ordinal),
            ["HTTPS_PROXY"] = $"http://user:{Plant("HTTPS_PROXY")}@127.0.0.1:{proxy.Port}",
            ["NO_PROXY"] = "127.0.0.1",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://127.0.0.1:{collector.Port}",
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_EXPORTER_OTLP_HEADERS"] = $"api-key={PlantForCollector()}",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "500",
        };
        // Each with a source of its own, and with what follows from it.
        (string Told, Dictionary<string, string> Variables, Action<World>? Prepare)[] rows =
        [
            ("the address in AWS_CONTAINER_CREDENTIALS_FULL_URI does not hand out credentials", [], null),
            ("AWS does not know the gateway's access key", Keys("AKIAIOSFODNN7UNKNOWN", Plant("AWS_SECRET_ACCESS_KEY"), Plant("AWS_SESSION_TOKEN")), null),
            ("does not let it pass (407)",
                new(Keys(world)) { ["AWS_ENDPOINT_URL_STS"] = "https://sts.example.invalid", ["AWS_ENDPOINT_URL_IOT"] = "https://iot.example.invalid" }, null),
            ("credential_process of the profile default does not print credentials", new() { ["AWS_CONFIG_FILE"] = WriteProcess(folder) }, null),
            ("403 AccessDenied", Keys(world), world => world.Aws.Inject(AwsFault.Error("AccessDenied", 403, Plant("a message of AWS")))),
        ];
        foreach (var (told, variables, prepare) in Sample.Of(1, rows))
        {
            prepare?.Invoke(world);
            var all = environment.Concat(variables).GroupBy(variable => variable.Key).ToDictionary(group => group.Key, group => group.Last().Value);
            await RunAsync(world, folder, told, all, collector);
            world.Aws.ClearFaults();
        }

        folder.Dispose();
    }

    [Fact]
    public async Task S7_D2_no_planted_secret_is_told_by_a_check_that_refuses_it()
    {
        var wrong = WrongKeys();
        var started = Sample.Of(4, wrong);
        foreach (var (name, key, json) in wrong)
        {
            using var folder = new GatewayFolder(JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings", "appsettings.json")),
                documentOptions: new() { CommentHandling = System.Text.Json.JsonCommentHandling.Skip })!.AsObject().Set(key, json));
            folder.Write("sealing-keys", GatewayFolder.NewSealingKey());
            var exitCode = 0;
            foreach (var arguments in (string[][])[["check"], ["check", "--format", "json"], ["explain", "--organization", "o-acme"]])
            {
                var command = await Commands.CommandResult.RunAsync([.. arguments, "--config", folder.Path]);
                exitCode = command.ExitCode;
                Search(($"{name}: {string.Join(' ', arguments)}", command.Output + command.Error));
            }

            // What is an error ends a start as well.
            if (exitCode != 0 && started.Contains((name, key, json)))
                Search(($"{name}: a start", (await GatewayProcess.RunAsync(["--config", folder.Path])).Output));
        }
    }

    private async Task RunAsync(World world, GatewayFolder folder, string told, Dictionary<string, string> environment, StubTcpServer collector)
    {
        var copy = new GatewayFolder(JsonNode.Parse(folder.Read("appsettings.json"))!.AsObject());
        copy.Write("sealing-keys", GatewayFolder.NewSealingKey());
        copy.Write("agent-token", folder.Read("agent-token"));
        foreach (var arguments in (string[][])
            [["check"], ["check", "--format", "json"], ["explain", "--organization", "o-acme"], ["doctor", "--organization", "o-acme", "--timeout", "100"]])
        {
            var (_, output) = await GatewayProcess.RunAsync([.. arguments, "--config", copy.Path], environment);
            Search(($"{told}: {arguments[0]}", output));
            if (arguments[0] == "doctor") Assert.True(output.Contains(told, StringComparison.Ordinal), output);
        }

        await using var gateway = await GatewayProcess.StartAsync(copy, environment);
        foreach (var path in (string[])[Requests.CredentialsPath("o-acme"), Requests.CredentialsPath("o-other"), "/proxied/1"])
            await world.Client.SendAsync(gateway.Url + path, world.Token("o-acme", "o-other"));
        var ready = await world.Client.SendAsync(
            gateway.ManagementUrl + "/health/ready", change: request => request.Headers.TryAddWithoutValidation("Accept", "application/json"));
        var metrics = await world.Client.SendAsync(gateway.ManagementUrl + "/metrics");
        await Eventually.IsTrueAsync(() => gateway.Output.Contains(told, StringComparison.Ordinal), () => gateway.Output);
        gateway.Signal("TERM");
        await gateway.WaitForExitAsync();
        var exported = string.Concat(collector.Received);
        Search(
            ($"{told}: the log", gateway.Output), ($"{told}: readiness", ready.Body), ($"{told}: the metrics", metrics.Body),
            ($"{told}: spans and metrics at the collector", exported));
        Assert.Contains("url.full", exported, StringComparison.Ordinal);
    }

    private static Dictionary<string, string> Keys(string id, string secret, string? token = null)
    {
        var keys = new Dictionary<string, string> { ["AWS_ACCESS_KEY_ID"] = id, ["AWS_SECRET_ACCESS_KEY"] = secret };
        if (token is not null) keys["AWS_SESSION_TOKEN"] = token;
        return keys;
    }

    private static Dictionary<string, string> Keys(World world) => Keys(world.Aws.BaseCredentials.AccessKeyId, world.Aws.BaseCredentials.SecretAccessKey);

    private string WriteProcess(GatewayFolder folder)
    {
        folder.Write(
            "process.sh", $"echo '{{ \"Version\": 1, \"SecretAccessKey\": \"{Plant("a process's output")}\"'; echo {Plant("a process's error")} >&2; exit 1");
        folder.Write("aws-process", $"[default]\ncredential_process = sh {folder.Path}/process.sh {Plant("a process's argument")}\n");
        return Path.Combine(folder.Path, "aws-process");
    }

    private static string PlantForCollector()
    {
        // The collector is who it is for.
        var secret = $"hush{Guid.NewGuid():N}";
        IssuedSecrets.Add(secret);
        return secret;
    }

    private string Plant(string place)
    {
        var secret = $"hush{Guid.NewGuid():N}";
        IssuedSecrets.Add(secret);
        _planted.Add((place, secret));
        return secret;
    }

    private void Search(params IEnumerable<(string Where, string Text)> places)
    {
        foreach (var (where, text) in places)
        {
            foreach (var (place, secret) in _planted)
            {
                var at = text.IndexOf(secret[..12], StringComparison.Ordinal);
                Assert.True(
                    at < 0,
                    $"{where} tells the secret of {place}: {text[Math.Max(0, at - 200)..Math.Min(text.Length, at + 12 + 100)]}"
                        .Replace(secret, "SECRET", StringComparison.Ordinal));
            }
        }
    }

    private (string Name, string Key, string Json)[] WrongKeys() =>
    [
        ("a URL for Redis", "ConnectionStrings:Redis", $"\"redis://gateway:{Plant("a URL for Redis")}@redis.internal:6379\""),
        ("semicolons", "ConnectionStrings:Redis", $"\"redis.internal:6379;password={Plant("semicolons")}\""),
        ("a sealing key for its path", "Sealing:KeyPath", $"\"{Plant("a sealing key")}\""),
        ("another product's section", "Serilog:WriteTo:0:Args:connectionString", $"\"Server=db;Password={Plant("Serilog")}\""),
        ("another connection string", "ConnectionStrings:Database", $"\"Server=db;User=sa;Password={Plant("a database")}\""),
        ("a key that does not exist", "IotCredentials:SecretAccessKey", $"\"{Plant("a key of ours")}\""),
        ("a destination with a user", "ReverseProxy:Clusters:devices:Destinations:a:Address", $"\"http://user:{Plant("a destination")}@devices.internal/\""),
        ("a region", "IotCredentials:Profiles:default:Region", $"\"{Plant("a region")}\""),
        ("an endpoint", "IotCredentials:Profiles:default:IotEndpoint", $"\"https://user:{Plant("an endpoint")}@abc/\""),
        ("a role", "IotCredentials:Profiles:default:RoleArn", $"\"{Plant("a role")}\""),
        ("an authority", "Authentication:Schemes:Platform:Authority", $"\"id.example.com?secret={Plant("an authority")}\""),
        ("a listener's password", "Kestrel:Endpoints:Https",
            $$"""{ "Url": "https://127.0.0.1:0", "Certificate": { "Path": "none.pfx", "Password": "{{Plant("a certificate's password")}}" } }"""),
        ("a log level", "Logging:LogLevel:Default", $"\"{Plant("a log level")}\""),
    ];
}
