using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Commands.Doctor;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Doctor;

/// <summary><c>doctor</c>: every dependency is reached, and what was found is said.</summary>
[Trait("Category", "Redis")]
public sealed class DoctorTests(DoctorTests.Shared shared) : IClassFixture<DoctorTests.Shared>
{
    private World World => shared.World;

    [Fact]
    public async Task A_platform_in_good_health_is_told_with_what_was_found()
    {
        var (exitCode, rows, output) = await Examination.RunAsync(
            World, arguments: ["--organization", "o-acme"], variables: World.Aws.EnvironmentVariables);

        Assert.True(exitCode == 0, output);
        Assert.Equal(("ok", $"{World.Issuer.Issuer}, 1 signing key"), rows["issuer Platform"]);
        Assert.Matches(
            $@"^ok {World.Redis.ConnectionString}, version [0-9.]+, no TLS, PING [0-9.]+ ms, clock [+-]?[0-4]\.[0-9] s$",
            $"{rows["Redis"].Outcome} {rows["Redis"].Found}");
        Assert.Equal(("ok", "account 111122223333, arn:aws:iam::111122223333:user/gateway, by AWS_ACCESS_KEY_ID"), rows["STS ap-northeast-1"]);
        Assert.Equal(("ok", AwsEmulator.IotEndpoint("111122223333", "ap-northeast-1")), rows["IoT endpoint of default"]);
        Assert.Matches("^ok arn:aws:iam::111122223333:role/iot-organization, until 20[0-9TZ:-]+, packed policy [0-9]+ % of what STS takes$",
            $"{rows["AssumeRole of default for o-acme"].Outcome} {rows["AssumeRole of default for o-acme"].Found}");
        Assert.Matches(
            "^ok 127.0.0.1:[0-9]+, connected in [0-9]+ ms, GET / 200$",
            $"{rows["destination organizations/a"].Outcome} {rows["destination organizations/a"].Found}");
        Assert.Equal(6, rows.Count);
        Assert.DoesNotContain(World.Aws.BaseCredentials.SecretAccessKey, output, StringComparison.Ordinal);
        Assert.DoesNotContain("ASIA", output, StringComparison.Ordinal);
        Assert.DoesNotContain("IQoJ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_of_the_configuration_are_a_document_too()
    {
        using var folder = new GatewayFolder(ShippedSettings.Read().Set("Edge:Method", "[]"));

        var examined = await CommandResult.RunAsync(["doctor", "--config", folder.Path, "--format", "json"]);

        Assert.Equal((1, ""), (examined.ExitCode, examined.Error));
        Assert.Contains(examined.Json.GetProperty("findings").EnumerateArray(), static finding => finding.GetProperty("key").GetString() == "Edge:Method");
    }

    [Fact]
    public async Task The_trial_session_is_what_a_vend_would_ask_for()
    {
        var (_, rows, _) = await ExamineAsync(
            settings => settings.Set(
                "IotCredentials:Organizations:o-own", """{ "RoleArn": "arn:aws:iam::444455556666:role/own", "Region": "eu-west-1", "Scope": "User" }"""),
            ["--organization", "o-own"]);

        var sent = Assert.Single(World.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleArn == "arn:aws:iam::444455556666:role/own").AssumeRole!;
        Assert.Equal("o-own", Assert.Single(sent.Tags).Value);
        Assert.Contains("client/o-own-", sent.Policy, StringComparison.Ordinal);
        Assert.Equal("ok", rows["AssumeRole of default for o-own"].Outcome);
        Assert.Equal("ok", rows["STS eu-west-1"].Outcome);
    }

    [Fact]
    public async Task A_role_that_may_not_be_assumed_fails_with_the_action_that_is_denied()
    {
        const string Sentence = "User: arn:aws:iam::111122223333:user/gateway is not authorized to perform: sts:TagSession on resource: "
            + "arn:aws:iam::111122223333:role/iot-organization";
        using var fault = World.Aws.Inject(
            AwsFault.Error("AccessDenied", 403, Sentence), "AssumeRole", call => call.AssumeRole!.Tags.Any(tag => tag.Value == "o-refused"));

        var (exitCode, rows, _) = await ExamineAsync(arguments: ["--organization", "o-refused"]);

        Assert.Equal(1, exitCode);
        Assert.Equal(("failed", "sts:AssumeRole: 403 AccessDenied: not authorized to perform sts:TagSession"), rows["AssumeRole of default for o-refused"]);
    }

    [Fact]
    public async Task What_does_not_answer_is_given_up_and_keeps_nobody_waiting()
    {
        await using var world = await World.StartAsync();
        using var fault = world.Aws.Inject(AwsFault.Hang());

        var (exitCode, rows, output) = await ExamineAsync(
            settings => settings.Set("IotCredentials:Timeout", "\"00:01:00\""), ["--organization", "o-acme"], world, timeout: 15);

        Assert.Equal(1, exitCode);
        Assert.All(
            ["STS ap-northeast-1", "IoT endpoint of default", "AssumeRole of default for o-acme"],
            check => Assert.Equal(("failed", "no response within 15 s"), rows[check]));
        Assert.True(rows["destination organizations/a"].Outcome == "ok", output);
    }

    [Fact]
    public async Task Without_Redis_the_gateway_serves_so_that_it_is_a_warning_and_its_password_is_not_shown()
    {
        var port = FreePort.Find();

        var (exitCode, rows, output) = await ExamineAsync(
            settings => settings.Set("ConnectionStrings:Redis", $"\"127.0.0.1:{port},user=reader,password=hunter2\""));

        Assert.True(exitCode == 0, output);
        Assert.Equal("warning", rows["Redis"].Outcome);
        Assert.Equal($"127.0.0.1:{port}: the connection is refused: start Redis, or correct the port in ConnectionStrings:Redis", rows["Redis"].Found);
        Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4.9, Outcome.Ok, "Redis, clock +4.9 s")]
    [InlineData(-4.9, Outcome.Ok, "Redis, clock -4.9 s")]
    [InlineData(5.1, Outcome.Warning, "Redis, clock +5.1 s: one of the two clocks is wrong")]
    [InlineData(-5.1, Outcome.Warning, "Redis, clock -5.1 s: one of the two clocks is wrong")]
    internal void A_clock_of_Redis_that_is_off_is_a_warning(double ahead, Outcome outcome, string found) =>
        Assert.Equal((outcome, found), RedisCheck.Judge("Redis", TimeSpan.FromSeconds(ahead)));

    [Fact]
    public async Task A_profile_that_no_route_vends_by_is_not_needed_to_serve()
    {
        await using var world = await World.StartAsync();
        using var fault = world.Aws.Inject(AwsFault.Error("AccessDenied", 403), "DescribeEndpoint");

        var (exitCode, rows, output) = await ExamineAsync(
            settings =>
            {
                settings.Set("IotCredentials:Profiles:default:IotEndpoint", "\"abc-ats.iot.ap-northeast-1.amazonaws.com\"");
                var spare = settings["IotCredentials"]!["Profiles"]!["default"]!.DeepClone().AsObject();
                spare.Remove("IotEndpoint");
                settings.Set("IotCredentials:Profiles:spare", spare.ToJsonString());
            },
            ["--organization", "o-acme"], world);

        Assert.True(exitCode == 0, output);
        Assert.Equal(("warning", "iot:DescribeEndpoint: 403 AccessDenied"), rows["IoT endpoint of spare"]);
        Assert.DoesNotContain("IoT endpoint of default", rows.Keys);
        Assert.DoesNotContain("AssumeRole of spare for o-acme", rows.Keys);
    }

    [Fact]
    public async Task That_no_Redis_is_configured_is_said()
    {
        var (exitCode, rows, _) = await ExamineAsync(settings => settings.WithoutRedis());

        Assert.Equal(0, exitCode);
        Assert.Equal(("ok", "ConnectionStrings:Redis is absent: replicas share nothing"), rows["Redis"]);
    }

    [Fact]
    public async Task An_issuer_that_cannot_be_reached_fails()
    {
        var port = FreePort.Find();

        var (exitCode, rows, _) = await ExamineAsync(settings => settings.Set("Authentication:Schemes:Platform:Authority", $"\"http://127.0.0.1:{port}\""));

        Assert.Equal(1, exitCode);
        Assert.Equal(("failed", $"http://127.0.0.1:{port}/.well-known/openid-configuration: Connection refused (127.0.0.1:{port})"), rows["issuer Platform"]);
    }

    [Fact]
    public async Task An_issuer_of_another_name_is_told_with_both()
    {
        var (exitCode, rows, _) = await ExamineAsync(
            settings => settings.Set("Authentication:Schemes:Platform:ValidIssuers", """["https://other.example.com"]"""));

        Assert.Equal(0, exitCode);
        Assert.Equal("warning", rows["issuer Platform"].Outcome);
        Assert.Contains(World.Issuer.Issuer, rows["issuer Platform"].Found, StringComparison.Ordinal);
        Assert.Contains("https://other.example.com", rows["issuer Platform"].Found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("11111111-1111-1111-1111-111111111111", "{}")]
    [InlineData("common", """{ "22222222-2222-2222-2222-222222222222": {} }""")]
    public async Task Entra_is_an_issuer_too(string tenant, string tenants)
    {
        var (exitCode, rows, output) = await ExamineAsync(settings => settings.Set("AzureAd", $$"""
            { "Instance": "{{World.Issuer.Issuer}}/", "TenantId": "{{tenant}}", "ClientId": "33333333-3333-3333-3333-333333333333",
              "RequireHttpsMetadata": false, "Tenants": {{tenants}} }
            """));

        Assert.True(exitCode == 0, output);
        Assert.Equal("ok", rows["issuer AzureAd"].Outcome);
    }

    [Fact]
    public async Task A_cluster_serves_by_one_destination_and_not_by_none()
    {
        var (one, other) = (FreePort.Find(), FreePort.Find());

        var (exitCode, rows, output) = await ExamineAsync(settings => settings
            .Set("ReverseProxy:Clusters:organizations:Destinations:b", $$"""{ "Address": "http://127.0.0.1:{{one}}" }"""));
        Assert.True(exitCode == 0, output);
        Assert.Equal("ok", rows["destination organizations/a"].Outcome);
        Assert.Equal(("warning", $"127.0.0.1:{one}: Connection refused"), rows["destination organizations/b"]);

        (exitCode, rows, _) = await ExamineAsync(settings => settings
            .Set(
                "ReverseProxy:Clusters:organizations:Destinations",
                $$"""{ "a": { "Address": "http://127.0.0.1:{{one}}" }, "b": { "Address": "http://127.0.0.1:{{other}}" } }"""));
        Assert.Equal(1, exitCode);
        Assert.Equal(("failed", $"127.0.0.1:{one}: Connection refused"), rows["destination organizations/a"]);
        Assert.Equal("failed", rows["destination organizations/b"].Outcome);
    }

    [Theory]
    [InlineData(false, "failed", "certificate")]
    [InlineData(true, "ok", "Tls")]
    public async Task A_certificate_that_nobody_vouches_for_fails_unless_the_cluster_takes_any(bool acceptsAny, string outcome, string found)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var made = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var ended = new CancellationTokenSource();
        var serving = ServeAsync(listener, made, ended.Token);

        var (_, rows, _) = await ExamineAsync(settings => settings
            .Set("ReverseProxy:Clusters:organizations:HttpClient", $$"""{ "DangerousAcceptAnyServerCertificate": {{(acceptsAny ? "true" : "false")}} }""")
            .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}\""));
        await ended.CancelAsync();
        await serving;

        Assert.Equal(outcome, rows["destination organizations/a"].Outcome);
        Assert.Contains(found, rows["destination organizations/a"].Found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--organization", "acme")]
    [InlineData("--organization", "")]
    [InlineData("--organization")]
    [InlineData("--organisation", "o-acme")]
    [InlineData("--timeout", "0")]
    [InlineData("--timeout", "soon")]
    [InlineData("o-acme")]
    public async Task What_cannot_be_understood_is_an_error(params string[] arguments)
    {
        using var folder = World.Folder();

        var doctor = await CommandResult.RunAsync(["doctor", .. arguments], new Dictionary<string, string> { ["GATEWAY_CONFIG"] = folder.Path });

        Assert.Equal((1, ""), (doctor.ExitCode, doctor.Output));
        Assert.NotEqual("", doctor.Error);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_told_and_nothing_is_reached()
    {
        using var folder = World.Folder(settings => settings.Set("Urls", "7"));

        var doctor = await CommandResult.RunAsync(["doctor", "--config", folder.Path]);

        Assert.Equal((1, ""), (doctor.ExitCode, doctor.Output));
        Assert.StartsWith("error Urls (", doctor.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandResult.RunAsync(["doctor", "--config", "/nowhere"])).ExitCode);
    }

    private Task<Examination> ExamineAsync(Action<JsonObject>? change = null, string[]? arguments = null, World? world = null, int timeout = 100) =>
        Examination.RunAsync(world ?? World, change, arguments, timeout);

    private static async Task ServeAsync(TcpListener listener, X509Certificate2 certificate, CancellationToken ended)
    {
        try
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync(ended);
                await using var tls = new SslStream(client.GetStream());
                // A client that turns away ends the handshake as well.
                await Record.ExceptionAsync(async () =>
                {
                    await tls.AuthenticateAsServerAsync(certificate);
                    if (await tls.ReadAsync(new byte[4096], ended) > 0)
                        await tls.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray(), ended);
                });
            }
        }
        catch (OperationCanceledException)
        {
            // The test has seen what it asked for.
        }
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
