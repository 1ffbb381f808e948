using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Amazon.Runtime;
using Gateway.Commands.Doctor;
using IotCredentials.Failures;
using IotCredentials.Operations;
using Sandbox;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Doctor;

/// <summary><c>doctor --isolation</c>: what an organization's session may do to itself and to another, against the emulated broker.</summary>
public sealed class IsolationTests(IsolationTests.Platform shared) : IClassFixture<IsolationTests.Platform>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static string Shipped => File.ReadAllText(Path.Combine(Repository.Root, "appsettings", "policies", "organization.json"));

    [Fact]
    public async Task The_shipped_template_keeps_two_organizations_apart()
    {
        using var folder = shared.World.Folder();

        var (exitCode, output) = await GatewayProcess.RunAsync(
            ["doctor", "--config", folder.Path, "--isolation", "o-a", "--against", "o-b", "--yes", "--timeout", "100", "--format", "json"],
            [.. shared.World.Aws.EnvironmentVariables, shared.Endpoint.EnvironmentVariable]);

        Assert.True(exitCode == 0, output);
        var rows = JsonDocument.Parse(output).RootElement.GetProperty("checks").EnumerateArray()
            .Select(row => $"{row.GetProperty("check")}: {row.GetProperty("found")}").ToList();
        foreach (var (step, found) in new[]
                 {
                     ("connect o-a-web-", "works"), ("connect o-b-web-", "refused"), ("publish o-a/", "works"), ("publish o-b/", "refused"),
                     ("publish $aws/things/o-a-", "works"), ("publish $aws/things/o-b-", "refused"), ("publish over HTTPS o-a/", "works"),
                     ("publish over HTTPS o-b/", "refused"), ("subscribe o-a/", "works"), ("subscribe o-b/", "refused"),
                     ("subscribe $aws/things/o-b-", "refused"), ("subscribe shared $share/", "refused"), ("receive o-a/", "works"),
                     ("receive o-b/", "not received, published by o-b"), ("retain o-b/", "refused"), ("get retained o-b/", "refused"),
                     ("get shadow o-b-", "refused"), ("post shadow o-b-", "refused"), ("delete shadow o-b-", "refused"),
                     ("get shadow", "the policy does not grant it"), ("isolation", "o-a does not reach o-b: "),
                 })
            Assert.Contains(rows, row => row.StartsWith(step, StringComparison.Ordinal) && row.Contains($": {found}", StringComparison.Ordinal));
        Assert.Contains(rows, row => row.StartsWith("get shadow o-b-", StringComparison.Ordinal) && row.Contains('/', StringComparison.Ordinal));

        // The example of docs/commands.md is a part of this run.
        var (endpoint, documented) = (new Uri(shared.Endpoint.Url).Authority, "abc-ats.iot.ap-northeast-1.amazonaws.com");
        var run = rows.Select(row => Documented(row.Replace(endpoint, documented, StringComparison.Ordinal))).ToList();
        var example = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "commands.md"), TestContext.Current.CancellationToken);
        example = example[example.IndexOf("\nsession of default for o-a ", StringComparison.Ordinal)..];
        example = example[1..example.IndexOf("\n```", StringComparison.Ordinal)];
        Assert.Contains("\nisolation ", example, StringComparison.Ordinal);
        Assert.All(example.Split('\n'), line => Assert.True(
            run.Contains(Documented(Regex.Replace(line, " +ok +", ": "))), $"docs/commands.md: \"{line}\" is not in this run:\n{string.Join('\n', run)}"));

        static string Documented(string row) => Regex.Replace(row, "isolation-[0-9a-f]{8}", "isolation-RANDOM");
    }

    [Fact]
    public async Task A_template_that_is_a_way_to_the_other_organization_fails_and_names_the_resource()
    {
        var problems = new List<string>();
        await Parallel.ForEachAsync(UnsafeTemplate.All, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (template, _) =>
        {
            var rows = await RunAsync(template.Render(template.From), template.Render(template.To), template.From, template.To);
            var added = template.Statements.SelectMany(Resources)
                .SelectMany(resource => new[] { template.From, template.To }.Select(id => UnsafeTemplate.Rendered(resource, id))).ToList();
            if (!rows.Any(row => row.Outcome == Outcome.Failed && row.Found.Contains($"{template.From} reaches {template.To}", StringComparison.Ordinal)
                    && added.Exists(resource => row.Found.Contains(resource, StringComparison.Ordinal))))
                lock (problems) problems.Add($"{template}\n{Text(rows)}");
        });

        Assert.True(problems.Count == 0, string.Join("\n\n", problems));
    }

    [Fact]
    public async Task Everything_that_a_safe_template_grants_is_tried_and_nothing_stays_behind()
    {
        const string things = "arn:aws:iot:ap-northeast-1:111122223333:thing/{organizationId}-*";
        const string topics = "arn:aws:iot:ap-northeast-1:111122223333:topic/{organizationId}/*";
        string Render(string organization) => UnsafeTemplate.Rendered(
            Shipped.Replace(
                "\"Statement\": [",
                $$"""
                "Statement": [
                  { "Effect": "Allow", "Action": ["iot:RetainPublish", "iot:GetRetainedMessage"], "Resource": "{{topics}}" },
                  { "Effect": "Allow", "Action": ["iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow",
                    "iot:ListNamedShadowsForThing"], "Resource": "{{things}}" },
                  { "Effect": "Allow", "Action": "iot:Subscribe",
                    "Resource": "arn:aws:iot:ap-northeast-1:111122223333:topicfilter/$share/group/{organizationId}/*" },
                  { "Effect": "Allow", "Action": "iot:Receive", "Resource": "arn:aws:iot:ap-northeast-1:111122223333:topic/news/*" },
                  { "Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:ap-northeast-1:111122223333:topicfilter/news/*" },
                """,
                StringComparison.Ordinal),
            organization);

        var rows = await RunAsync(Render("o-a"), Render("o-ab"), "o-a", "o-ab", "news/*");
        var unlisted = await RunAsync(Render("o-a"), Render("o-ab"), "o-a", "o-ab");

        Assert.True(rows.All(row => row.Outcome == Outcome.Ok), Text(rows));
        Assert.DoesNotContain(rows, row => row.Found == "the policy does not grant it");
        foreach (var step in new[]
                 {
                     "retain o-a/", "get retained o-a/", "get shadow o-a-", "post shadow o-a-", "delete shadow o-a-", "list shadows o-a-",
                     "subscribe shared $share/group/o-a/",
                     "subscribe news/",
                 })
            Assert.Contains(rows, row => row.Check.StartsWith(step, StringComparison.Ordinal) && row.Found == "works");
        Assert.Contains(rows, row => row.Check.StartsWith("publish news/", StringComparison.Ordinal) && row.Found == "refused");
        Assert.Contains(unlisted, row => row.Check.StartsWith("subscribe news/", StringComparison.Ordinal)
            && row.Found.StartsWith("o-a reaches o-ab: ", StringComparison.Ordinal));
        // A session that may do anything finds none of it.
        foreach (var row in rows.Where(row => row.Check.StartsWith("retain ", StringComparison.Ordinal)))
            Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"/retainedMessage/{Uri.EscapeDataString(row.Check.Split(' ')[1])}"));
        foreach (var row in rows.Where(row => row.Check.StartsWith("post shadow ", StringComparison.Ordinal)))
        {
            var thing = row.Check.Split(' ')[2].Split('/');
            var query = thing is [_, var name] ? $"name={name}" : "";
            Assert.Equal(HttpStatusCode.NotFound, await GetAsync($"/things/{thing[0]}/shadow", query));
        }
    }

    [Theory]
    [InlineData("iot:Publish", "topic/$aws/things/{organizationId}*/shadow/update", "o-a reaches o-ab: iot:Publish on topic/$aws/things/o-ab-")]
    [InlineData("iot:Publish", "topic/$aws/things/{organizationId}*/shadow/name/*/update", "o-a reaches o-ab: iot:Publish on topic/$aws/things/o-ab-")]
    [InlineData("iot:Subscribe", "topicfilter/$aws/things/{organizationId}*/jobs/*", "o-a reaches o-ab: iot:Subscribe on topicfilter/$aws/things/o-ab-")]
    [InlineData("iot:ListNamedShadowsForThing", "thing/{organizationId}*", "o-a reaches o-ab: iot:ListNamedShadowsForThing on thing/o-ab-")]
    [InlineData("iot:Publish", "topic/$aws/things/{organizationId}-*/jobs/get", "not tried: iot:Publish topic/$aws/things/o-a-*/jobs/get")]
    [InlineData("iot:DeleteThingShadow", "thing/{organizationId}", "not tried: iot:DeleteThingShadow thing/o-a")]
    [InlineData("iot:RetainPublish", "topic/{organizationId}/status", "not tried: iot:RetainPublish topic/o-a/status")]
    [InlineData("iotjobsdata:*", "thing/{organizationId}-*", "not tried: iotjobsdata:* arn:aws:iot:ap-northeast-1:111122223333:thing/o-a-*")]
    public async Task A_way_through_a_reserved_topic_fails_whether_it_can_be_tried_or_not(string action, string resource, string expected)
    {
        string Render(string organization) => UnsafeTemplate.Rendered(
            Shipped.Replace(
                "\"Statement\": [",
                $$"""
                "Statement": [
                  { "Effect": "Allow", "Action": "{{action}}", "Resource": "arn:aws:iot:ap-northeast-1:111122223333:{{resource}}" },
                """,
                StringComparison.Ordinal),
            organization);

        var rows = await RunAsync(Render("o-a"), Render("o-ab"), "o-a", "o-ab");

        Assert.True(rows.Any(row => row.Outcome == Outcome.Failed && $"{row.Check}: {row.Found}".Contains(expected, StringComparison.Ordinal)), Text(rows));
        Assert.DoesNotContain(rows, row => row.Check == "isolation");
    }

    [Fact]
    public async Task A_profile_that_reaches_the_other_organization_through_another_profile_fails()
    {
        // Each profile keeps organizations apart. Together they do not: o-hub/o-b/* of the one is also a topic of o-hub in the other.
        using var folder = shared.World.Folder(settings =>
        {
            var spare = settings["IotCredentials"]!["Profiles"]!["default"]!.DeepClone().AsObject();
            spare["SessionPolicy"] = "spare.json";
            settings.Set("IotCredentials:Profiles:spare", spare.ToJsonString());
            settings.Set(
                "ReverseProxy:Routes:spare",
                """
                { "Match": { "Path": "/organizations/{organizationId}/spare" }, "AuthorizationPolicy": "OrganizationMember",
                  "Metadata": { "Module": "IotCredentials", "Profile": "spare" } }
                """);
        });
        folder.Write("spare.json", Shipped.Replace("/{organizationId}/*", "/o-hub/{organizationId}/*", StringComparison.Ordinal));

        var (exitCode, output, error) = await CommandResult.RunAsync(
            ["doctor", "--config", folder.Path, "--isolation", "o-b", "--against", "o-hub", "--yes", "--timeout", "100"],
            new Dictionary<string, string>([shared.Endpoint.EnvironmentVariable]), shared.World);

        Assert.True(exitCode == 1, output + error);
        foreach (var pair in new[] { "default against default", "default against spare", "spare against spare" })
            Assert.Matches($"(?m)^{pair}: isolation +ok +o-b does not reach o-hub", output);
        Assert.Matches("(?m)^spare against default: publish o-hub/o-b/[^ ]+ +failed +o-b reaches o-hub: iot:Publish on topic/o-hub/o-b/", output);
    }

    [Fact]
    public async Task A_session_that_may_more_or_less_than_its_policy_fails()
    {
        var (policy, other) = (UnsafeTemplate.Rendered(Shipped, "o-a"), UnsafeTemplate.Rendered(Shipped, "o-b"));

        var wider = await IsolationCheck.RunAsync(
            Session("o-a", policy, Issue(null)), Session("o-b", other, Issue(other)), _ => new Uri(shared.Endpoint.Url), s_patience);
        var narrower = await IsolationCheck.RunAsync(
            Session("o-a", policy, Issue(policy.Replace("iot:Publish", "iot:DescribeThing", StringComparison.Ordinal))), Session("o-b", other, Issue(other)),
            _ => new Uri(shared.Endpoint.Url), s_patience);

        Assert.Contains(wider, row => row.Outcome == Outcome.Failed && row.Found.Contains("AWS ignored it", StringComparison.Ordinal));
        Assert.Contains(narrower, row => row.Outcome == Outcome.Failed && row.Check.StartsWith("publish o-a/", StringComparison.Ordinal)
            && row.Found.Contains("refused, although the policy grants it by arn:", StringComparison.Ordinal));
        Assert.DoesNotContain(wider.Concat(narrower), row => row.Check == "isolation");
    }

    [Fact]
    public async Task A_connection_that_fails_proves_nothing()
    {
        await using var hanging = new StubTcpServer(static (_, ended) => Task.Delay(System.Threading.Timeout.Infinite, ended));
        await using var page = new StubTcpServer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        var policy = UnsafeTemplate.Rendered(Shipped, "o-a");

        foreach (var (address, timeout, cause) in new[]
                 {
                     ("http://127.0.0.1:1", s_patience, "127.0.0.1:1: no MQTT connection: "),
                     ($"http://127.0.0.1:{hanging.Port}", TimeSpan.FromSeconds(1), "no response in time"),
                     ($"http://127.0.0.1:{page.Port}", s_patience, "the endpoint does not accept the WebSocket: compare the region"),
                 })
        {
            var rows = await IsolationCheck.RunAsync(
                Session("o-a", policy, Issue(policy)), Session("o-b", policy, Issue(policy)), _ => new Uri(address), timeout);

            var row = Assert.Single(rows);
            Assert.Equal(("connection", Outcome.Failed), (row.Check, row.Outcome));
            Assert.Contains(cause, row.Found, StringComparison.Ordinal);
            Assert.EndsWith("Nothing is known about isolation: repair this first", row.Found, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--isolation and --against name the same organization", "--isolation", "o-a", "--against", "o-a", "--yes")]
    [InlineData("--isolation and --against need each other", "--isolation", "o-a", "--yes")]
    [InlineData("--isolation and --against need each other", "--against", "o-a", "--yes")]
    [InlineData("--organization does not go with --isolation", "--isolation", "o-a", "--against", "o-b", "--organization", "o-a")]
    [InlineData("--isolation is not an organization id", "--isolation", "../o-a", "--against", "o-b", "--yes")]
    [InlineData("--against is not an organization id", "--isolation", "o-a", "--against", "b", "--yes")]
    public async Task What_cannot_be_tried_is_an_error(string error, params string[] arguments)
    {
        using var folder = shared.World.Folder();

        var doctor = await CommandResult.RunAsync(["doctor", "--config", folder.Path, .. arguments]);

        Assert.Equal((1, ""), (doctor.ExitCode, doctor.Output));
        Assert.Contains(error, doctor.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://iot.example.com")]
    [InlineData("ws://127.0.0.1")]
    [InlineData("nonsense")]
    public async Task Plain_text_leaves_no_machine(string address)
    {
        using var folder = shared.World.Folder();

        var doctor = await CommandResult.RunAsync(
            ["doctor", "--config", folder.Path, "--isolation", "o-a", "--against", "o-b", "--yes"],
            new Dictionary<string, string> { ["AWS_ENDPOINT_URL_IOT_DATA_PLANE"] = address });

        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("is not an https:// address", doctor.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_sees_nothing_that_is_sent_to_an_emulator_on_this_machine()
    {
        await using var proxy = new StubTcpServer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
        var address = $"http://127.0.0.1:{proxy.Port}";
        using var folder = shared.World.Folder();

        // STS is not under test: its address is outside the proxy.
        var (exitCode, output) = await GatewayProcess.RunAsync(
            ["doctor", "--config", folder.Path, "--isolation", "o-a", "--against", "o-b", "--yes", "--timeout", "100"],
            [
                .. shared.World.Aws.EnvironmentVariables.Select(static variable => KeyValuePair.Create(
                    variable.Key, variable.Value.Replace("http://127.0.0.1:", "http://localhost:", StringComparison.Ordinal))),
                shared.Endpoint.EnvironmentVariable,
                new("NO_PROXY", "localhost"), new("HTTP_PROXY", address), new("http_proxy", address), new("ALL_PROXY", address),
            ]);

        Assert.True(exitCode == 0, output);
        Assert.Empty(proxy.Received);
    }

    [Theory]
    [InlineData("{\"message\":\"Forbidden\",\"traceId\":\"1\"}", true)]
    [InlineData("{\"message\":\"The request signature we calculated does not match the signature you provided.\"}", false)]
    [InlineData("{\"message\":[\"Forbidden\"]}", false)]
    [InlineData("{\"error\":\"Forbidden\"}", false)]
    [InlineData("[\"Forbidden\"]", false)]
    [InlineData("<html><title>403 Forbidden</title></html>", false)]
    [InlineData("Forbidden", false)]
    [InlineData("", false)]
    public async Task Only_a_403_in_AWS_own_words_is_a_refusal(string body, bool isRefusal)
    {
        await using var server = new StubTcpServer($"HTTP/1.1 403 Forbidden\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        await using var client = new IotDataClient(
            Session("o-a", "", Issue(null)), new Uri($"http://127.0.0.1:{server.Port}"), "mark", s_patience, TestContext.Current.CancellationToken);

        var asked = client.SendAsync(HttpMethod.Post, "/topics/o-b%2Fx", "qos=1", "{}");

        if (isRefusal) Assert.Equal(IotDecision.Refused, await asked);
        else Assert.Contains(
            "POST /topics/o-b%2Fx: 403, which does not say whether the policy allows it. Nothing is known about isolation",
            (await Assert.ThrowsAsync<VendingException>(() => asked)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_terminal_nothing_is_published_unless_it_is_confirmed()
    {
        using var folder = shared.World.Folder();
        string[] arguments = [GatewayProcess.Program, "doctor", "--config", folder.Path, "--isolation", "o-a", "--against", "o-b"];
        var lines = new ConcurrentQueue<string>();

        // The shell takes the terminal away, should the tests have one.
        using var doctor = ChildProcess.Start("sh", ["-c", "exec dotnet \"$@\" </dev/null", "sh", .. arguments], onLine: lines.Enqueue);
        await doctor.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(1, doctor.ExitCode);
        Assert.Contains("add --yes", string.Join('\n', lines), StringComparison.Ordinal);
    }

    private Task<IReadOnlyList<DoctorResult>> RunAsync(string own, string other, string from, string to, params string[] sharedTopics) =>
        IsolationCheck.RunAsync(
            Session(from, own, Issue(own), sharedTopics), Session(to, other, Issue(other), sharedTopics), _ => new Uri(shared.Endpoint.Url), s_patience);

    private async Task<HttpStatusCode> GetAsync(string path, string query = "")
    {
        var signature = new SignatureV4(Session("o-a", "", Issue(null)).Credentials, "ap-northeast-1", DateTimeOffset.UtcNow);
        using var request = signature.Request(HttpMethod.Get, new Uri(shared.Endpoint.Url), path, query, []);
        using var response = await shared.World.Client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    private AwsCredentials Issue(string? policy) =>
        shared.World.Aws.IssueRoleSession("arn:aws:iam::111122223333:role/iot-organization", "test", TimeSpan.FromHours(1), policy);

    private static TrialSession Session(string organization, string policy, AwsCredentials credentials, params string[] sharedTopics) => new()
    {
        Organization = new OrganizationId(organization),
        Credentials = new ImmutableCredentials(credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken),
        AccountId = "111122223333",
        Region = "ap-northeast-1",
        IotEndpoint = "unused",
        Policy = policy,
        SharedTopics = sharedTopics,
    };

    private static IEnumerable<string> Resources(string statement)
    {
        var parsed = JsonDocument.Parse(statement.Replace("§", "arn:{partition}:iot:{region}:{accountId}:", StringComparison.Ordinal)).RootElement;
        var resources = parsed.TryGetProperty("Resource", out var named) ? named : parsed.GetProperty("NotResource");
        return resources.ValueKind == JsonValueKind.Array ? [.. resources.EnumerateArray().Select(each => each.GetString()!)] : [resources.GetString()!];
    }

    private static string Text(IEnumerable<DoctorResult> rows) => string.Join('\n', rows.Select(row => $"{row.Outcome} {row.Check}: {row.Found}"));

    public sealed class Platform : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public IotDataEndpoint Endpoint { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await World.StartAsync();
            Endpoint = await IotDataEndpoint.StartAsync(World.Aws);
        }

        public async ValueTask DisposeAsync()
        {
            await Endpoint.DisposeAsync();
            await World.DisposeAsync();
        }
    }
}
