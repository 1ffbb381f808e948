using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class DirectoryTests
{
    private const string OwnAccount = "111122223333";
    private const string OtherAccount = "444455556666";
    private const string Good =
        """{"data":{"id":"o-acme","awsAccountId":"111122223333","awsRegion":"ap-northeast-1","iotEndpoint":"abc-ats.iot.ap-northeast-1.amazonaws.com"}}""";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    private static Action<JsonObject> With(World world, Action<JsonObject>? change = null) => settings =>
    {
        settings.Set("IotCredentials:Directory", $$"""
            { "Address": "{{world.Downstream.Url}}/organizations/{organizationId}", "Timeout": "00:00:10", "AllowedAccounts": ["111122223333", "444455556666"] }
            """);
        var profile = settings["IotCredentials"]!["Profiles"]!["default"]!.AsObject();
        profile["RoleArn"] = "arn:{partition}:iam::{accountId}:role/iot-organization";
        profile["SessionTags"] = new JsonObject { ["account"] = "{accountId}" };
        profile.Remove("Region");
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
        change?.Invoke(settings);
    };

    private static Func<HttpContext, CancellationToken, Task> Respond(string body, int status = 200, string type = "application/json") =>
        (context, cancellation) =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = type;
            if (status is >= 300 and < 400) context.Response.Headers.Location = "/organizations/o-globex";
            return context.Response.WriteAsync(body, cancellation);
        };

    private static Task<Response> InvalidateAsync(World world, RunningGateway gateway, string organization) => world.Client.SendAsync(
        $"{gateway.ManagementUrl}/organizations/{organization}/credentials",
        world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] }), "DELETE");

    private static string? EndpointOf(Response response) => response.Data.GetProperty("iotEndpoint").GetString();

    [Theory]
    [InlineData("o-acme", OwnAccount, "ap-northeast-1")]
    [InlineData("o-globex", OtherAccount, "ap-northeast-1")]
    [InlineData("o-initech", OtherAccount, "eu-west-1")]
    public async Task Session_template_tags_and_endpoint_follow_the_account_and_region_of_the_organization(string organization, string account, string region)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(With(world));

        var response = await gateway.VendAsync(organization);

        Assert.True(response.Status == 200, gateway.Log.Text);
        Assert.Equal(region, response.Data.GetProperty("awsRegion").GetString());
        Assert.Equal(AwsEmulator.IotEndpoint(account, region), EndpointOf(response));
        var call = Assert.Single(world.Aws.Calls.Snapshot(), call => call.Action == "AssumeRole");
        Assert.Equal((region, $"arn:aws:iam::{account}:role/iot-organization"), (call.Region, call.AssumeRole!.RoleArn));
        Assert.Contains($"arn:aws:iot:{region}:{account}:client/{organization}-", call.AssumeRole.Policy, StringComparison.Ordinal);
        Assert.Equal([new("account", account)], call.AssumeRole.Tags);
        Assert.Equal(0, world.Aws.Count("DescribeEndpoint"));
    }

    [Fact]
    public async Task Without_an_endpoint_in_the_response_the_endpoint_role_of_its_account_asks_AWS_IoT()
    {
        await using var world = await World.StartAsync();
        world.Downstream.Directory.Move("o-initech", OtherAccount, "eu-west-1", namesEndpoint: false);
        var gateway = await world.StartGatewayAsync(With(world, settings =>
            settings.Set("IotCredentials:Profiles:default:EndpointRoleArn", "\"arn:{partition}:iam::{accountId}:role/endpoint\"")));

        Assert.Equal(AwsEmulator.IotEndpoint(OtherAccount, "eu-west-1"), EndpointOf(await gateway.VendAsync("o-initech")));
    }

    [Fact]
    public async Task Without_an_endpoint_role_the_gateway_asks_for_its_own_account_and_no_other()
    {
        await using var world = await World.StartAsync();
        world.Downstream.Directory.Move("o-acme", OwnAccount, "eu-west-1", namesEndpoint: false);
        world.Downstream.Directory.Move("o-globex", OtherAccount, "eu-west-1", namesEndpoint: false);
        var gateway = await world.StartGatewayAsync(With(world));

        var own = await gateway.VendAsync("o-acme");
        var other = await gateway.VendAsync("o-globex");

        Assert.Equal(AwsEmulator.IotEndpoint(OwnAccount, "eu-west-1"), EndpointOf(own));
        ErrorResponseAssert.Matches(503, "ServiceUnavailable", other);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "set EndpointRoleArn"));
        Assert.Equal(1, world.Aws.Count("DescribeEndpoint"));
    }

    [Fact]
    public async Task Two_hundred_cold_callers_make_one_call()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(With(world));
        var token = world.Token("o-acme");

        var responses = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => gateway.SendAsync(Requests.CredentialsPath("o-acme"), token)));

        Assert.All(responses, response => Assert.Equal(200, response.Status));
        Assert.Equal(["o-acme"], world.Downstream.Directory.Calls.Snapshot());
    }

    [Fact]
    public async Task A_caller_of_many_organizations_has_64_calls_under_way_at_most_and_makes_nobody_wait()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            With(world)(settings.WithoutRedis());
            settings.Set("IotCredentials:Timeout", "\"00:01:00\"").Set("IotCredentials:Directory:Timeout", "\"00:01:00\"");
        });
        var released = new TaskCompletionSource();
        world.Downstream.Directory.Response = async (context, cancellation) =>
        {
            var organization = context.Request.Path.Value!.Split('/')[^1];
            if (organization != "o-other") await released.Task.WaitAsync(cancellation);
            await Respond(Good.Replace("o-acme", organization, StringComparison.Ordinal))(context, cancellation);
        };

        var vends = Enumerable.Range(0, 74).Select(i => gateway.VendAsync($"o-{i}")).ToList();
        await Eventually.IsTrueAsync(() => vends.Count(static vend => vend.IsCompleted) == 10);
        var refused = $"o-{vends.FindIndex(static vend => vend.IsCompleted)}";
        var other = await SendAsAnotherAsync("o-other");
        var shared = SendAsAnotherAsync(refused);
        await Eventually.IsTrueAsync(() => world.Downstream.Directory.Calls.Snapshot().Contains(refused));
        released.SetResult();

        Assert.Equal((200, 200), (other.Status, (await shared).Status));
        Assert.Equal([(200, 64), (503, 10)], (await Task.WhenAll(vends)).CountBy(static response => response.Status).Select(x => (x.Key, x.Value)).Order());
        Assert.Equal(66, world.Downstream.Directory.Calls.Count());
        Assert.Equal(0, gateway.Log.Count(LogLevel.Error, ""));

        Task<Response> SendAsAnotherAsync(string organization) => gateway.SendAsync(
            Requests.CredentialsPath(organization), world.Issuer.Issue(new TokenRequest { Subject = "another", Organizations = (string[])[organization] }));
    }

    [Fact]
    public async Task A_caller_that_is_no_member_never_causes_a_call()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(With(world));

        var path = Requests.CredentialsPath("o-acme");
        Response[] responses = [await gateway.SendAsync(path), await gateway.SendAsync(path, world.Token("o-globex")), await gateway.SendAsync(path, "x.y.z")];

        Assert.Equal([401, 403, 401], responses.Select(response => response.Status));
        Assert.Empty(world.Downstream.Directory.Calls.Snapshot());
    }

    /// <summary>Each response that must not be used: 503, logged once, and no call to AWS.</summary>
    public static TheoryData<string, string, int, string> Odd => new()
    {
        { "another id", Good.Replace("o-acme", "o-globex", StringComparison.Ordinal), 200, "another organization" },
        { "the id in another case", Good.Replace("o-acme", "O-ACME", StringComparison.Ordinal), 200, "another organization" },
        { "no id", Good.Replace("\"id\"", "\"ID\"", StringComparison.Ordinal), 200, "another organization" },
        { "a foreign account", Good.Replace(OwnAccount, "999988887777", StringComparison.Ordinal), 200, "AllowedAccounts does not allow" },
        { "an account of 11 digits", Good.Replace(OwnAccount, "11112222333", StringComparison.Ordinal), 200, "12 digits" },
        { "an account that is a number", Good.Replace($"\"{OwnAccount}\"", OwnAccount, StringComparison.Ordinal), 200, "12 digits" },
        { "other digits", Good.Replace(OwnAccount, new string('\u0661', 12), StringComparison.Ordinal), 200, "12 digits" },
        { "no region", Good.Replace("awsRegion", "region", StringComparison.Ordinal), 200, "no awsRegion" },
        { "a region that is none", Good.Replace("\"ap-northeast-1\"", "\"tokyo\"", StringComparison.Ordinal), 200, "no awsRegion" },
        { "a region with a line feed", Good.Replace("\"ap-northeast-1\"", "\"ap-northeast-1\\n\"", StringComparison.Ordinal), 200, "no awsRegion" },
        { "a region that is too long", Good.Replace("\"ap-northeast-1\"", $"\"ap-{new string('n', 40)}-1\"", StringComparison.Ordinal), 200, "too long" },
        { "a FIPS endpoint's name for a region", Good.Replace("\"ap-northeast-1\"", "\"fips-us-east-1\"", StringComparison.Ordinal), 200, "no awsRegion" },
        { "another partition's region", Good.Replace("\"ap-northeast-1\"", "\"us-iso-east-1\"", StringComparison.Ordinal), 200, "us-iso-east-1.c2s.ic.gov" },
        { "an endpoint of another region", Good.Replace("iot.ap-northeast-1", "iot.eu-west-1", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint elsewhere", Good.Replace("amazonaws.com\"", "example.com\"", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint of another partition", Good.Replace("amazonaws.com\"", "amazonaws.com.cn\"", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint with a port", Good.Replace("amazonaws.com\"", "amazonaws.com:443\"", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint with a path before it", Good.Replace("\"abc-ats", "\"evil.example/abc-ats", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint without a name", Good.Replace("\"abc-ats", "\"-ats", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an endpoint that is a number", Good.Replace("\"abc-ats.iot.ap-northeast-1.amazonaws.com\"", "1", StringComparison.Ordinal), 200, "iotEndpoint" },
        { "an id outside of data as well", "{\"id\":\"o-acme\"," + Good[1..], 200, "twice" },
        { "a member twice", Good.Replace("{\"id\"", "{\"awsAccountId\":\"444455556666\",\"id\"", StringComparison.Ordinal), 200, "duplicate members" },
        { "a member twice, once escaped", Good.Replace("{\"id\"", "{\"\\u0069d\":\"o-globex\",\"id\"", StringComparison.Ordinal), 200, "duplicate members" },
        { "an unread member twice", Good.Replace("{\"id\"", "{\"x\":{\"y\":1,\"y\":2},\"id\"", StringComparison.Ordinal), 200, "duplicate members" },
        { "data twice", Good[..^1] + "," + Good[1..], 200, "duplicate members" },
        { "text that is not Unicode", Good.Replace("\"o-acme\"", "\"\\ud800\"", StringComparison.Ordinal), 200, "not a JSON object" },
        { "deep nesting", Good.Replace("{\"id\"", $"{{\"x\":{new string('[', 5000)}{new string(']', 5000)},\"id\"", StringComparison.Ordinal), 200, "nested" },
        { "1 MB", Good[..^1] + ",\"x\":\"" + new string('x', 1 << 20) + "\"}", 200, "longer than 64 KiB" },
        { "HTML", "<html><body>Sign in</body></html>", 200, "not a JSON object" },
        { "an array", $"[{Good}]", 200, "not a JSON object" },
        { "nothing", "", 200, "not a JSON object" },
        { "text after it", Good + "{}", 200, "not a JSON object" },
        { "a comment", Good + "//", 200, "not a JSON object" },
        { "a redirect", Good, 302, "its status is 302" },
        { "a permanent redirect", Good, 308, "its status is 308" },
        { "another success", Good, 201, "its status is 201" },
        { "an error", Good, 500, "its status is 500" },
        { "a refusal of the token", Good, 401, "its status is 401" },
    };

    [Fact]
    public async Task A_response_that_must_not_be_used_is_503_and_logged_once_and_nothing_is_vended()
    {
        await using var world = await World.StartAsync(_time);
        foreach (var row in Odd)
        {
            var (name, body, status, cause) = row.Data;
            // A gateway each, since failures in a row are an outage, which is logged otherwise.
            await using var gateway = await RunningGateway.StartAsync(world, world.Folder(settings => With(world)(settings.WithoutRedis())));
            world.Downstream.Directory.Response = Respond(body, status);
            world.Downstream.Directory.Calls.Clear();

            var responses = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => gateway.VendAsync("o-acme")));

            Assert.All(responses, response => Assert.True(response.Status == 503, $"{name}: {response.Status} {response.Body}"));
            Assert.All(responses, response => Assert.True(response.Headers.RetryAfter is not null, name));
            Assert.True(gateway.Log.Text.Split('\n').Count(line => line.Contains(cause, StringComparison.Ordinal)) == 1, $"{name}: {gateway.Log.Text}");
            Assert.True(world.Downstream.Directory.Calls.Count() == 1, name);
        }

        Assert.Equal(0, world.Aws.Count("AssumeRole"));
    }

    [Theory]
    [InlineData(Good, "application/json")]
    [InlineData(Good, "text/plain")]
    [InlineData("\uFEFF" + Good, "application/json")]
    [InlineData("""{"id":"o-acme","awsAccountId":"111122223333","awsRegion":"ap-northeast-1","iotEndpoint":null,"tags":["a",{"b":1}]}""", "application/json")]
    [InlineData("""{"data":{"id":"o-acme","awsAccountId":"111122223333","awsRegion":"ap-northeast-1","plan":{"id":7}},"meta":{}}""", "application/json")]
    public async Task The_inner_object_alone_other_members_and_another_content_type_are_fine(string body, string type)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
        world.Downstream.Directory.Response = Respond(body, type: type);

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Theory]
    [InlineData("text/html", 200)]
    [InlineData("Text/HTML; charset=utf-8", 200)]
    [InlineData("application/xhtml+xml", 200)]
    [InlineData("application/xml", 200)]
    [InlineData("text/xml; charset=utf-8", 200)]
    [InlineData("application/json", 403)]
    [InlineData("application/problem+json", 403)]
    [InlineData("text/plain", 403)]
    [InlineData("", 403)]
    public async Task A_404_with_a_page_is_not_the_directorys_word_and_what_it_said_before_is_used(string type, int status)
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(With(world, settings =>
            settings.WithoutRedis().Set("IotCredentials:Directory:CacheFor", "\"00:01:00\"")));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        world.Downstream.Directory.Response = Respond("<html><h1>404 Not Found</h1></html>", 404, type);
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.Equal(status, (await gateway.VendAsync("o-acme")).Status);
        Assert.Equal(status == 200 ? 1 : 0, gateway.Log.Count(LogLevel.Warning, "its status is 404, with a page"));
        // An organization that was never known is not known to be unknown, either.
        Assert.Equal(status == 200 ? 503 : 403, (await gateway.VendAsync("o-globex")).Status);
    }

    [Fact]
    public async Task A_directory_that_hangs_is_503_within_its_timeout_and_logged_once()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
        world.Downstream.Directory.Response = (_, cancellation) => Task.Delay(Timeout.Infinite, cancellation);

        var vend = gateway.VendAsync("o-acme");
        await world.Downstream.Directory.Calls.WaitForAsync(_ => true);
        _time.Advance(TimeSpan.FromSeconds(10));

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", await vend);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "no response within 10 s"));
    }

    [Fact]
    public async Task An_outage_is_logged_when_it_begins_and_ends_and_shown_by_readiness_and_others_are_refused_at_once()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
        world.Downstream.Directory.Response = Respond("", 500);
        for (var i = 0; i < 5; i++) Assert.Equal(503, (await gateway.VendAsync($"o-{i}")).Status);
        // After five failures in a row the gateway asks for an organization of its own.
        await gateway.Log.WaitForAsync(LogLevel.Error, "keeps failing");

        var during = await gateway.VendAsync("o-acme");
        var ready = await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready");
        world.Downstream.Directory.Response = null;
        _time.Advance(TimeSpan.FromSeconds(10));
        var after = await gateway.VendAsync("o-globex");

        Assert.Equal((503, 200), (during.Status, after.Status));
        Assert.StartsWith("Degraded", ready.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("o-acme", world.Downstream.Directory.Calls.Snapshot());
        Assert.Equal((5, 1, 1), (
            gateway.Log.Count(LogLevel.Warning, "could not say where"), gateway.Log.Count(LogLevel.Error, "keeps failing"),
            gateway.Log.Count(LogLevel.Information, "responds again")));
        Assert.StartsWith("Healthy", (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(410)]
    [InlineData(500)]
    public async Task An_outage_ends_even_if_the_directory_fails_for_ids_that_it_does_not_know(int status)
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
        var directory = world.Downstream.Directory;
        directory.Response = Respond("", 500);
        for (var i = 0; i < 5; i++) Assert.Equal(503, (await gateway.VendAsync($"o-{i}")).Status);
        await gateway.Log.WaitForAsync(LogLevel.Error, "keeps failing");

        directory.Response = (context, cancellation) => context.Request.Path.Value!.EndsWith("/o-acme", StringComparison.Ordinal)
            ? Respond(Good)(context, cancellation)
            : Respond("", status)(context, cancellation);
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "responds again"));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(410)]
    [InlineData(422)]
    public async Task Organizations_for_which_the_directory_always_fails_are_no_outage_for_others(int statusOfOthers)
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
        world.Downstream.Directory.Response = (context, cancellation) => context.Request.Path.Value!.Split('/')[^1] switch
        {
            ['o', '-', 'b', 'a', 'd', ..] => Respond("", 500)(context, cancellation),
            { Length: <= 3 } organization => Respond(Good.Replace("o-acme", organization, StringComparison.Ordinal))(context, cancellation),
            var unknown => Respond(Good.Replace("o-acme", unknown, StringComparison.Ordinal), statusOfOthers)(context, cancellation),
        };
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(503, (await gateway.VendAsync($"o-bad{i % 7}")).Status);
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Equal(30, world.Downstream.Directory.Calls.Count(static organization => organization.StartsWith("o-bad", StringComparison.Ordinal)));
        Assert.StartsWith("Healthy", (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Body, StringComparison.Ordinal);
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await gateway.VendAsync($"o-{i}")).Status);
        Assert.Equal((30, 0), (gateway.Log.Count(LogLevel.Warning, "could not say where"), gateway.Log.Count(LogLevel.Error, "keeps failing")));
    }

    [Fact]
    public async Task An_unknown_organization_is_403_and_asked_for_again_after_a_while()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(With(world));

        ErrorResponseAssert.Matches(403, "Forbidden", await gateway.VendAsync("o-nobody"));
        world.Downstream.Directory.Move("o-nobody", OwnAccount, "eu-west-1");
        Assert.Equal(403, (await gateway.VendAsync("o-nobody")).Status);
        Assert.Equal(1, world.Downstream.Directory.Calls.Count());
        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(200, (await gateway.VendAsync("o-nobody")).Status);
    }

    [Fact]
    public async Task An_entry_of_a_replica_whose_clock_is_ahead_is_not_used()
    {
        await using var world = await World.StartAsync(_time);
        var ahead = new FakeTimeProvider(_time.GetUtcNow() + TimeSpan.FromMinutes(10));
        var other = await world.StartGatewayAsync(With(world), services => services.AddSingleton<TimeProvider>(ahead));
        var gateway = await world.StartGatewayAsync(With(world));
        Assert.Equal(403, (await other.VendAsync("o-nobody")).Status);
        Assert.Equal(403, (await gateway.VendAsync("o-nobody")).Status);
        world.Downstream.Directory.Move("o-nobody", OwnAccount, "eu-west-1");

        _time.Advance(TimeSpan.FromSeconds(31));

        Assert.Equal(200, (await gateway.VendAsync("o-nobody")).Status);
    }

    [Fact]
    public async Task A_response_is_renewed_behind_the_callers_and_serves_while_the_directory_fails_for_its_time()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(With(world));
        var directory = world.Downstream.Directory;
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        _time.Advance(TimeSpan.FromMinutes(3.9));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        Assert.Equal(1, directory.Calls.Count());

        _time.Advance(TimeSpan.FromMinutes(0.2));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        await directory.Calls.WaitForAsync(_ => true, 2);
        directory.Response = Respond("", 500);
        _time.Advance(TimeSpan.FromMinutes(60));
        var stale = await gateway.VendAsync("o-acme");
        _time.Advance(TimeSpan.FromMinutes(10));
        var late = await gateway.VendAsync("o-acme");
        directory.Response = null;
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal((200, 503), (stale.Status, late.Status));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task An_older_response_does_not_serve_if_the_directory_now_names_a_foreign_account()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(With(world));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        world.Downstream.Directory.Move("o-acme", "999988887777", "eu-west-1");
        _time.Advance(TimeSpan.FromMinutes(6));

        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
    }

    /// <summary>Each response after an older one, and whether the older one serves.</summary>
    public static TheoryData<int, string, bool> Later => new()
    {
        { 301, "", false },
        { 302, Good, false },
        { 308, Good, false },
        { 200, Good[..^1] + ",\"x\":\"" + new string('x', 64 * 1024) + "\"}", false },
        { 200, new string(' ', 1 << 20), false },
        { 200, "<html><body>Sign in</body></html>", true },
        { 200, "", true },
        { 500, "", true },
        { 500, new string(' ', 1 << 20), true },
        { 401, "", true },
        { 429, "", true },
    };

    [Fact]
    public async Task An_older_response_serves_after_a_failure_and_does_not_after_a_response_that_is_refused()
    {
        foreach (var row in Later)
        {
            var (status, body, serves) = row.Data;
            var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
            await using var world = await World.StartAsync(time);
            var gateway = await world.StartGatewayAsync(settings => With(world)(settings.WithoutRedis()));
            Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
            world.Downstream.Directory.Response = Respond(body, status);
            time.Advance(TimeSpan.FromMinutes(6));

            var late = await gateway.VendAsync("o-acme");

            var events = (gateway.Log.Count(LogLevel.Error, "is rejected"), gateway.Log.Count(LogLevel.Warning, "could not say where"));
            Assert.True((serves ? (200, (0, 1)) : (503, (1, 0))) == (late.Status, events), $"{status}, {body.Length} bytes: {late.Status} {gateway.Log.Text}");
        }
    }

    [Fact]
    public async Task An_organization_that_moved_is_served_from_there_after_its_invalidation_by_every_replica()
    {
        await using var world = await World.StartAsync();
        var (one, two) = (await world.StartGatewayAsync(With(world)), await world.StartGatewayAsync(With(world)));
        var old = await one.VendAsync("o-acme");
        Assert.Equal(old.Body, (await two.VendAsync("o-acme")).Body);
        Assert.Equal(1, world.Downstream.Directory.Calls.Count());
        world.Downstream.Directory.Move("o-acme", OtherAccount, "eu-west-1");

        Assert.Equal(204, (await InvalidateAsync(world, one, "o-acme")).Status);

        var here = await one.VendAsync("o-acme");
        var there = await LifetimeTests.UntilAsync(() => two.VendAsync("o-acme"), response => EndpointOf(response) != EndpointOf(old));
        Assert.Equal(AwsEmulator.IotEndpoint(OtherAccount, "eu-west-1"), EndpointOf(here));
        Assert.Equal(here.Body, there.Body);
        Assert.Equal(2, world.Downstream.Directory.Calls.Count());
    }

    [Fact]
    public async Task A_replica_that_allows_fewer_accounts_does_not_use_what_another_cached()
    {
        await using var world = await World.StartAsync();
        var wide = await world.StartGatewayAsync(With(world));
        var narrow = await world.StartGatewayAsync(With(world, settings =>
            settings.Set("IotCredentials:Directory:AllowedAccounts", $"[\"{OwnAccount}\"]")));

        Assert.Equal(200, (await wide.VendAsync("o-globex")).Status);
        Assert.Equal(503, (await narrow.VendAsync("o-globex")).Status);
    }

    [Fact]
    public async Task An_organizations_own_entry_wins_key_by_key_and_is_not_asked_for_if_it_names_role_and_region()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(With(world, settings => settings.Set("IotCredentials:Organizations", """
            {
              "o-own": { "RoleArn": "arn:aws:iam::777788889999:role/own", "Region": "sa-east-1", "IotEndpoint": "own-ats.iot.sa-east-1.amazonaws.com" },
              "o-globex": { "IotEndpoint": "globex.example.com" },
              "o-initech": { "Region": "us-east-1", "EndpointRoleArn": "arn:aws:iam::{accountId}:role/endpoint" }
            }
            """)));

        var (own, globex, initech) = (await gateway.VendAsync("o-own"), await gateway.VendAsync("o-globex"), await gateway.VendAsync("o-initech"));

        Assert.Equal("own-ats.iot.sa-east-1.amazonaws.com", EndpointOf(own));
        Assert.Equal("globex.example.com", EndpointOf(globex));
        // The directory names the endpoint of another region.
        Assert.Equal(AwsEmulator.IotEndpoint(OtherAccount, "us-east-1"), EndpointOf(initech));
        Assert.Equal(["o-globex", "o-initech"], world.Downstream.Directory.Calls.Snapshot());
    }

    [Fact]
    public async Task A_role_of_a_literal_account_serves_only_organizations_that_live_there()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(With(world, settings =>
            settings.Set("IotCredentials:Profiles:default:RoleArn", $"\"arn:aws:iam::{OwnAccount}:role/iot-organization\"")));

        var (own, first, second) = (await gateway.VendAsync("o-acme"), await gateway.VendAsync("o-globex"), await gateway.VendAsync("o-globex"));

        Assert.Equal([200, 503, 503], [own.Status, first.Status, second.Status]);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, $"names the account {OtherAccount}, and RoleArn is of {OwnAccount}"));
    }

    [Fact]
    public async Task The_token_is_read_for_each_call_and_never_logged()
    {
        await using var world = await World.StartAsync();
        var (old, young) = ("old-directory-token-1", "young-directory-token-2");
        IssuedSecrets.Add(old);
        IssuedSecrets.Add(young);
        var folder = world.Folder(With(world, settings => settings.Set("IotCredentials:Directory:TokenPath", "\"directory-token\"")));
        folder.Write("directory-token", old + "\n");
        await using var gateway = await RunningGateway.StartAsync(world, folder);

        await gateway.VendAsync("o-acme");
        folder.Write("directory-token", young);
        await gateway.VendAsync("o-globex");
        folder.Write("directory-token", "two words");
        Assert.Equal(503, (await gateway.VendAsync("o-initech")).Status);

        Assert.Equal(
            [$"Bearer {old}", $"Bearer {young}"],
            world.Downstream.Requests.Snapshot().Select(request => request.Headers["Authorization"].Single()));
        Assert.DoesNotContain("two words", gateway.Log.Text, StringComparison.Ordinal);
    }
}
