using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Explain;

/// <summary><c>explain</c>: what becomes of a request, and why, without a call.</summary>
public sealed class ExplainTests(ExplainTests.Shared shared) : IClassFixture<ExplainTests.Shared>
{
    private const string Credentials = "/organizations/o-acme/iot-endpoint-and-credentials";

    private World World => shared.World;

    [Fact]
    public async Task The_organization_alone_is_enough()
    {
        var explained = await ExplainAsync([]);

        Assert.Equal(0, explained.ExitCode);
        Assert.Equal(("GET", Credentials), (Text(explained.Json, "request", "method"), Text(explained.Json, "request", "target")));
        Assert.Equal("iot-endpoint-and-credentials", Text(explained.Json, "route", "route"));
        Assert.Equal("OrganizationMember", Text(explained.Json, "route", "policy"));
        var request = explained.Json.GetProperty("assumeRole");
        Assert.Equal("arn:aws:iam::111122223333:role/iot-organization", Text(request, "role"));
        Assert.Equal("ap-northeast-1", Text(request, "region"));
        Assert.Equal("o-acme", Text(request, "sessionName"));
        Assert.Equal(3600, request.GetProperty("durationSeconds").GetInt32());
        Assert.Equal("o-acme", Text(request, "tags", "organizationId"));
        Assert.Contains("client/o-acme-web-*", Text(request, "policy"), StringComparison.Ordinal);
        Assert.Equal(Text(request, "policy")!.Length, request.GetProperty("policyLength").GetInt32());
        Assert.Equal(2048, request.GetProperty("policyLimit").GetInt32());
    }

    [Fact]
    public async Task Nothing_is_called_and_nothing_connects()
    {
        using var redis = new TcpListener(IPAddress.Loopback, 0);
        using var metadata = new TcpListener(IPAddress.Loopback, 0);
        redis.Start();
        metadata.Start();
        var (discoveries, keys, calls, requests) =
            (World.Issuer.DiscoveryRequests, World.Issuer.KeySetRequests, World.Aws.Calls.Count(), World.Downstream.Requests.Count());
        using var folder = World.Folder(settings => settings
            .Set("ConnectionStrings:Redis", $"\"127.0.0.1:{((IPEndPoint)redis.LocalEndpoint).Port}\"")
            .Set("ReverseProxy:Clusters:organizations:HealthCheck", """{ "Active": { "Enabled": true, "Path": "/probed" } }"""));

        var (exitCode, output) = await GatewayProcess.RunAsync(
            ["explain", "--organization", "o-acme", "--token", World.Token("o-acme"), "--config", folder.Path],
            new Dictionary<string, string>
            {
                ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = $"http://{metadata.LocalEndpoint}",
                ["AWS_CONFIG_FILE"] = "/nowhere",
                ["AWS_DEFAULTS_MODE"] = "auto",
            });

        Assert.True(exitCode == 0, output);
        Assert.False(redis.Pending());
        Assert.False(metadata.Pending());
        Assert.Equal(
            (discoveries, keys, calls, requests),
            (World.Issuer.DiscoveryRequests, World.Issuer.KeySetRequests, World.Aws.Calls.Count(), World.Downstream.Requests.Count()));
    }

    [Fact]
    public async Task The_AssumeRole_and_the_key_are_those_of_a_vend()
    {
        void Change(JsonObject settings) => settings
            .Set("IotCredentials:Profiles:default:Scope", "\"User\"")
            .Set("IotCredentials:Profiles:default:ExternalId", "\"for-{organizationId}\"");
        var gateway = await World.StartGatewayProcessAsync(Change);
        var token = World.Token("o-vended");
        var answer = await World.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-vended"), token);
        Assert.Equal(200, answer.Status);
        var sent = Assert.Single(World.Aws.Calls.Snapshot(), call => call.AssumeRole?.Tags.Any(tag => tag.Value == "o-vended") == true).AssumeRole!;

        using var folder = World.Folder(Change);
        var explained = await CommandResult.RunAsync(
            ["explain", "--organization", "o-vended", "--token", token, "--format", "json", "--config", folder.Path], World.Aws.EnvironmentVariables);

        var request = explained.Json.GetProperty("assumeRole");
        Assert.Equal(sent.RoleArn, Text(request, "role"));
        Assert.Equal(sent.RoleSessionName, Text(request, "sessionName"));
        Assert.Equal(sent.SourceIdentity, Text(request, "sourceIdentity"));
        Assert.Equal(sent.ExternalId, Text(request, "externalId"));
        Assert.Equal(sent.Policy, Text(request, "policy"));
        Assert.Equal(World.Aws.BaseCredentials.AccessKeyId, Text(request, "identity"));
        // In this process the SDK has not been told where STS is, and the address is part of the key.
        var (_, output) = await GatewayProcess.RunAsync(
            ["explain", "--organization", "o-vended", "--token", token, "--format", "json", "--config", folder.Path], World.Aws.EnvironmentVariables);
        await using var redis = await World.Redis.ConnectAsync();
        var key = Text(JsonDocument.Parse(output).RootElement, "assumeRole", "redisKey");
        // The gateway writes to Redis after it has responded.
        await Eventually.IsTrueAsync(() => redis.GetDatabase().KeyExistsAsync(key));
    }

    [Fact]
    public async Task A_role_of_a_web_identity_is_known_without_a_call()
    {
        var explained = await ExplainAsync([], variables: new()
        {
            ["AWS_ROLE_ARN"] = "arn:aws-cn:iam::111122223333:role/team/gateway",
            ["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/var/run/token",
        });

        Assert.Equal("arn:aws-cn:sts::111122223333:assumed-role/gateway", Text(explained.Json, "assumeRole", "identity"));
        Assert.NotNull(Text(explained.Json, "assumeRole", "redisKey"));
    }

    [Fact]
    public async Task Each_partition_has_its_own_role_policy_and_key()
    {
        var keys = new List<string?>();
        (string Partition, string Region)[] places =
        [
            ("aws", "ap-southeast-5"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1"), ("aws-eusc", "eusc-de-east-1"), ("aws-iso", "us-iso-east-1"),
            ("aws-iso-b", "us-isob-east-1"), ("aws-iso-e", "eu-isoe-west-1"), ("aws-iso-f", "us-isof-south-1"),
        ];
        foreach (var (partition, region) in places)
        {
            var explained = await ExplainAsync([], settings => settings
                .Set("IotCredentials:Profiles:default:RoleArn", $"\"arn:{partition}:iam::111122223333:role/iot-organization\"")
                .Set("IotCredentials:Profiles:default:Region", $"\"{region}\""), World.Aws.EnvironmentVariables.ToDictionary());

            Assert.True(explained.ExitCode == 0, explained.Error);
            var request = explained.Json.GetProperty("assumeRole");
            Assert.Equal(($"arn:{partition}:iam::111122223333:role/iot-organization", region), (Text(request, "role"), Text(request, "region")));
            Assert.Contains($"arn:{partition}:iot:{region}:111122223333:client/o-acme-web-*", Text(request, "policy"), StringComparison.Ordinal);
            keys.Add(Text(request, "redisKey"));
        }

        Assert.Equal(places.Length, keys.Distinct().Count());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("a-session")]
    public async Task Where_only_AWS_can_tell_the_identity_the_key_is_marked_as_not_the_real_one(string? session)
    {
        var variables = session is null ? [] : new Dictionary<string, string>
        {
            ["AWS_ACCESS_KEY_ID"] = "ASIAEXAMPLE",
            ["AWS_SECRET_ACCESS_KEY"] = "a-secret",
            ["AWS_SESSION_TOKEN"] = session,
        };

        var explained = await ExplainAsync([], variables: variables);
        var text = await ExplainAsync([], variables: variables, format: "text");

        Assert.False(explained.Json.GetProperty("assumeRole").TryGetProperty("redisKey", out _));
        Assert.NotNull(Text(explained.Json, "assumeRole", "redisKeyWithoutIdentity"));
        Assert.Contains("NOT THE REAL ONE", text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a-secret", explained.Output + text.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("a-session", explained.Output + text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Routes_of_the_same_path_say_why_they_do_not_take_the_request()
    {
        var explained = await ExplainAsync(["--method", "GET", "--path", "/reports/7"], settings => settings
            .Route("taken", "/reports/{id:int}", """{ "Match": { "Methods": ["GET"] } }""")
            .Route("method", "/reports/{id}", """{ "Match": { "Methods": ["PUT"] } }""")
            .Route("host", "/reports/{id}", """{ "Match": { "Hosts": ["api.example.com"] } }""")
            .Route("header", "/reports/{id}", """{ "Match": { "Headers": [{ "Name": "X-Version", "Values": ["2"] }] } }""")
            .Route("query", "/reports/{id}", """{ "Match": { "QueryParameters": [{ "Name": "draft", "Mode": "Exists" }] } }""")
            .Route("order", "/reports/{**rest}", """{ "Order": 1, "Match": { "Methods": ["GET", "DELETE"] } }""")
            .Route("specific", "/{**rest}", """{ "Match": { "Methods": ["GET"] } }""")
            .Route("less", "/reports/{id:int}")
            .Route("path", "/reports/{id:alpha}"));

        Assert.True(explained.ExitCode == 0, explained.Output);
        Assert.Equal("taken", Text(explained.Json, "route", "route"));
        var lost = explained.Json.GetProperty("lost").EnumerateArray().ToDictionary(route => Text(route, "route")!, route => Text(route, "reason")!);
        Assert.Equal("method: it accepts PUT", lost["method"]);
        Assert.Equal("host: it accepts api.example.com", lost["host"]);
        Assert.Equal("header: X-Version is …", lost["header"]);
        Assert.Equal("query: draft is present", lost["query"]);
        Assert.Equal("order: 1 comes after 0", lost["order"]);
        Assert.StartsWith("less specific", lost["specific"], StringComparison.Ordinal);
        Assert.StartsWith("less specific", lost["less"], StringComparison.Ordinal);
        Assert.Equal(7, lost.Count);
        Assert.Equal(3, explained.Json.GetProperty("otherPaths").GetInt32());
    }

    [Theory]
    [InlineData("/reports/7?draft=1", "localhost", "query")]
    [InlineData("/reports/7", "api.example.com", "host")]
    [InlineData("/reports/7", "elsewhere.example.com", "any")]
    public async Task Host_and_query_of_the_request_count(string path, string host, string route)
    {
        var explained = await ExplainAsync(["--path", path, "--host", host], settings => settings
            .Route("any", "/reports/{id}")
            .Route("host", "/reports/{id}", """{ "Match": { "Hosts": ["api.example.com"] } }""")
            .Route("query", "/reports/{id}", """{ "Match": { "QueryParameters": [{ "Name": "draft", "Mode": "Exists" }] } }"""));

        Assert.Equal(route, Text(explained.Json, "route", "route"));
    }

    [Theory]
    [InlineData("GET", "/a/../b", 400, "path")]
    [InlineData("GET", "/a%2Fb", 400, "encoded_slash")]
    [InlineData("TRACE", "/plain", 405, "method")]
    [InlineData("GET", "/nowhere", 404, "no_route")]
    [InlineData("POST", "/reports", 405, "method")]
    [InlineData("POST", Credentials, 405, "method")]
    [InlineData("GET", "/organizations/o-ac_me/iot-endpoint-and-credentials", 422, "organization_id")]
    [InlineData("GET", "/organizations/acme/devices", 422, "organization_id")]
    [InlineData("GET", Credentials + "?minimumLifetime=soon", 422, "minimum_lifetime")]
    [InlineData("GET", "/organizations/o-other/devices", 403, "organization")]
    [InlineData("GET", "/organizations/o-acme/operators", 403, "scopes")]
    public async Task A_refusal_says_its_status_and_reason_as_the_gateway_does(string method, string path, int status, string reason)
    {
        static void Change(JsonObject settings) => settings
            .Route("reports", "/reports", """{ "Match": { "Methods": ["GET"] } }""")
            .Route("operators", "/organizations/{organizationId}/operators", """{ "AuthorizationPolicy": "IotOperator" }""")
            .Route("plain", "/plain");
        var token = World.Token("o-acme");

        var explained = await ExplainAsync(["--method", method, "--path", path, "--token", token], Change);

        Assert.Equal((1, status, reason), (explained.ExitCode, explained.Json.GetProperty("refused").GetInt32(), Text(explained.Json, "reason")));
        Assert.NotEqual("", Text(explained.Json, "why"));
        // .NET's client would send another path.
        if (path is "/a/../b") return;
        var gateway = await shared.GatewayAsync(Change);
        Assert.Equal(status, (await gateway.SendAsync(path, token, method)).Status);
        var line = $"\"method\":\"{method}\",\"path\":\"{path.Split('?')[0]}\",";
        await Eventually.IsTrueAsync(() => gateway.Log.Text.Split('\n').Any(logged =>
            logged.Contains(line, StringComparison.Ordinal) && logged.Contains($"\"status\":{status},\"reason\":\"{reason}\",", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A6_Routes_that_nothing_tells_apart_are_an_error_that_names_both()
    {
        var explained = await ExplainAsync(["--path", "/same/7?a=1&b=1"], settings => settings
            .Route("one", "/same/{id}", """{ "Match": { "QueryParameters": [{ "Name": "a", "Mode": "Exists" }] } }""")
            .Route("two", "/same/{id}", """{ "Match": { "QueryParameters": [{ "Name": "b", "Mode": "Exists" }] } }"""));

        Assert.Equal(1, explained.ExitCode);
        var finding = Assert.Single(explained.Json.GetProperty("findings").EnumerateArray(), finding => Text(finding, "severity") == "error");
        Assert.Equal("ReverseProxy:Routes:two:Match", Text(finding, "key"));
        Assert.Matches("requests as the route \"one\", such as \"GET /same/probe\\?", Text(finding, "message"));
    }

    public static TheoryData<string, TokenRequest, string, string> BadTokens => new()
    {
        { "expired", new() { NotBefore = TimeSpan.FromHours(-1), Expires = TimeSpan.FromSeconds(-60) }, "it expired at ", "token_expired" },
        { "early", new() { NotBefore = TimeSpan.FromSeconds(60) }, "it is not valid before ", "token_not_yet_valid" },
        { "endless", new() { Expires = null }, "it never expires", "token_lifetime" },
        { "audience", new() { Audiences = ["api://other"] }, "the audience is not one of api://gateway", "audience" },
        { "algorithm", new() { Algorithm = "HS256" }, "the algorithm is not one of ", "algorithm" },
        { "unsigned", new() { Algorithm = "none" }, "the algorithm is not one of ", "algorithm" },
        { "ID token", new() { Type = "JWT", Claims = new Dictionary<string, object?> { ["nonce"] = "n" } }, "the token is an ID token", "token_claims" },
        { "crit", new() { Header = new Dictionary<string, object?> { ["crit"] = new[] { "exp" } } }, "the token has a crit header", "token_claims" },
        { "subject", new() { Subject = null }, "the token has no claim sub (SubjectClaim)", "token_claims" },
        { "issuer", new() { Issuer = "https://unknown.example.com" }, "no scheme is configured for its issuer", "issuer" },
    };

    [Theory]
    [MemberData(nameof(BadTokens))]
    public async Task A_token_that_fails_says_by_what_and_is_a_401(string _, TokenRequest request, string failure, string reason)
    {
        var token = World.Issuer.Issue(request with { Organizations = (string[])["o-acme"] });

        var explained = await ExplainAsync(["--token", token]);
        var text = await ExplainAsync(["--token", token], format: "text");

        Assert.Equal((1, 401, reason), (explained.ExitCode, explained.Json.GetProperty("refused").GetInt32(), Text(explained.Json, "reason")));
        Assert.StartsWith(failure, Assert.Single(Strings(explained.Json.GetProperty("token").GetProperty("failures"))), StringComparison.Ordinal);
        Assert.Contains("FAILS", text.Output, StringComparison.Ordinal);
        foreach (var part in token.Split('.').Where(part => part.Length > 0))
            Assert.DoesNotContain(part, explained.Output + text.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("a.b.c")]
    [InlineData("")]
    public async Task What_is_no_token_is_a_401(string token)
    {
        var explained = await ExplainAsync(["--token", token]);

        Assert.Equal((1, 401), (explained.ExitCode, explained.Json.GetProperty("refused").GetInt32()));
    }

    [Fact]
    public async Task Everything_that_a_token_fails_by_is_said_and_its_requirements_all_the_same()
    {
        var token = World.Issuer.Issue(new()
        {
            NotBefore = TimeSpan.FromHours(-2),
            Expires = TimeSpan.FromHours(-1),
            Audiences = ["api://other"],
            Organizations = (string[])["o-acme"],
            Scopes = ["iot.connect"],
        });

        var explained = await ExplainAsync(["--token", token], settings => settings
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:AuthorizationPolicy", "\"IotOperator\""));

        var judged = explained.Json.GetProperty("token");
        Assert.Equal("Platform", Text(judged, "scheme"));
        Assert.Equal(World.Issuer.Issuer, Text(judged, "issuer"));
        Assert.Equal(2, Strings(judged.GetProperty("failures")).Count());
        Assert.Contains("not checked", Text(judged, "signature"), StringComparison.Ordinal);
        Assert.Equal(
            [("the route's organization must be one of the caller's", true), ("any of the scopes iot.connect", true), ("any of the roles operator", false)],
            judged.GetProperty("requirements")
                .EnumerateArray()
                .Select(requirement => (Text(requirement, "requirement")!, requirement.GetProperty("met").GetBoolean())));
    }

    [Fact]
    public async Task A_token_within_the_clock_skew_is_good()
    {
        var token = World.Issuer.Issue(new() { NotBefore = TimeSpan.FromHours(-1), Expires = TimeSpan.FromSeconds(-10), Organizations = (string[])["o-acme"] });

        var explained = await ExplainAsync(["--token", token]);

        Assert.Equal(0, explained.ExitCode);
        Assert.Empty(Strings(explained.Json.GetProperty("token").GetProperty("failures")));
    }

    [Fact]
    public async Task An_anonymous_route_takes_a_request_whatever_its_token()
    {
        var explained = await ExplainAsync(
            ["--path", "/open/x", "--token", "x"],
            settings => settings.Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }"""),
            format: "text");

        Assert.Equal(0, explained.ExitCode);
        Assert.Contains("!! ANYONE, without a token", explained.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_names_another_organization_is_noted()
    {
        var explained = await ExplainAsync(["--path", "/organizations/o-other/devices"]);

        Assert.Contains("the path names the organization o-other, not \"o-acme\"", Strings(explained.Json.GetProperty("notes")));
    }

    [Fact]
    public async Task What_hangs_on_the_client_is_noted_and_not_judged()
    {
        var explained = await ExplainAsync(["--path", "/inside/x", "--token", World.Token("o-acme")], settings => settings
            .Set("RateLimiting:Policies:Slow", """{ "PartitionBy": "Subject", "PermitLimit": 5, "Window": "00:01:00" }""")
            .Route("inside", "/inside/{**rest}", """{ "RateLimiterPolicy": "Slow", "Metadata": { "IpAllow": "10.0.0.0/8" } }"""));

        Assert.Equal(0, explained.ExitCode);
        Assert.Equal(
            ["only clients of 10.0.0.0/8 may use the route; others get 403", "if the limit Slow is exceeded, the response is 429"],
            Strings(explained.Json.GetProperty("notes")));
    }

    [Theory]
    [InlineData("explain")]
    [InlineData("explain", "--organization")]
    [InlineData("explain", "--organization", "o-acme", "--path")]
    [InlineData("explain", "--organization", "o-acme", "--path", "organizations")]
    [InlineData("explain", "--organization", "o-acme", "--path", "")]
    [InlineData("explain", "--organization", "o-acme", "--format", "yaml")]
    [InlineData("explain", "--organization", "o-acme", "--tokne", "a-token")]
    [InlineData("explain", "--organization", "o-acme", "a-token")]
    public async Task What_cannot_be_understood_is_an_error_that_repeats_no_token(params string[] arguments)
    {
        using var folder = World.Folder();

        var explained = await CommandResult.RunAsync([.. arguments], new Dictionary<string, string> { ["GATEWAY_CONFIG"] = folder.Path });

        Assert.Equal((1, ""), (explained.ExitCode, explained.Output));
        Assert.NotEqual("", explained.Error);
        Assert.DoesNotContain("a-token", explained.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_is_wrong_is_told_and_nothing_is_explained()
    {
        var explained = await ExplainAsync([], settings => settings.Set("Urls", "7"), format: "text");

        Assert.Equal((1, ""), (explained.ExitCode, explained.Output));
        Assert.StartsWith("error Urls (", explained.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await CommandResult.RunAsync(["explain", "--organization", "o-acme", "--config", "/nowhere"])).ExitCode);
    }

    private async Task<CommandResult> ExplainAsync(
        string[] arguments, Action<JsonObject>? change = null, Dictionary<string, string>? variables = null, string format = "json")
    {
        using var folder = World.Folder(change);
        return await CommandResult.RunAsync(["explain", "--organization", "o-acme", "--config", folder.Path, "--format", format, .. arguments], variables);
    }

    private static string? Text(JsonElement json, params string[] path) => path.Aggregate(json, (element, name) => element.GetProperty(name)).GetString();

    private static IEnumerable<string> Strings(JsonElement json) => json.EnumerateArray().Select(item => item.GetString()!);

    public sealed class Shared : IAsyncLifetime
    {
        private readonly SemaphoreSlim _turn = new(1);
        private RunningGateway? _gateway;

        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        /// <summary>One gateway for all, started by the first who asks.</summary>
        public async Task<RunningGateway> GatewayAsync(Action<JsonObject> change)
        {
            await _turn.WaitAsync();
            try
            {
                return _gateway ??= await World.StartGatewayAsync(change);
            }
            finally
            {
                _turn.Release();
            }
        }

        public async ValueTask DisposeAsync()
        {
            await World.DisposeAsync();
            _turn.Dispose();
        }
    }
}
