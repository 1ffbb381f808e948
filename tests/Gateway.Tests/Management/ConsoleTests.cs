using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Logs;
using Gateway.Tests.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>The console's files and its API, by HTTP.</summary>
public sealed partial class ConsoleTests(ConsoleFixture platform) : IClassFixture<ConsoleFixture>
{
    private static readonly string[] s_files = ["/console", "/", "/console/console.css", "/console/console.js", "/console/icon.svg"];
    private static readonly HttpClient s_client = new();
    private static readonly SigningKey s_foreign = SigningKey.CreateRsa();
    private static readonly string[] s_api = ["/api/status", "/api/routes", "/api/clusters", "/api/vending", "/api/events", "/api/events?route=plain"];

    public static TheoryData<string> Api => [.. s_api];

    [Fact]
    public async Task The_page_is_small_needs_nothing_from_elsewhere_and_has_no_inline_script_or_style()
    {
        var files = new List<Response>();
        foreach (var path in s_files.Where(static path => path != "/")) files.Add(await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path));

        Assert.All(files, static file => Assert.Equal(200, file.Status));
        Assert.InRange(files.Sum(static file => file.Body.Length), 1, 60_000);
        Assert.DoesNotMatch(Inline(), files[0].Body);
        foreach (var file in files) Assert.DoesNotMatch(Elsewhere(), file.Body);
        Assert.DoesNotMatch(Markup(), files[2].Body);
    }

    [Fact]
    public async Task Its_headers_allow_its_own_files_only()
    {
        foreach (var path in s_files)
        {
            var headers = (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path)).Headers;

            var policy = Assert.Single(headers.GetValues("Content-Security-Policy"));
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self'; ", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("require-trusted-types-for 'script'", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
            Assert.Equal(["nosniff"], headers.GetValues("X-Content-Type-Options"));
            Assert.Equal(["DENY"], headers.GetValues("X-Frame-Options"));
            Assert.Equal(["no-referrer"], headers.GetValues("Referrer-Policy"));
            Assert.False(headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task Events_are_streamed_until_the_callers_token_ends()
    {
        foreach (var (token, status) in (IEnumerable<(string?, int)>)[(null, 401), (platform.World.Token("o-acme"), 403)])
            Assert.Equal(status, (await platform.World.Client.SendAsync($"{platform.Gateway.ManagementUrl}/api/stream", token)).Status);

        using var response = await StreamAsync(platform.Operator());
        await platform.SendAsync("/streamed", platform.Operator());
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        Assert.Equal("event: events", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        string? line;
        do line = await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Limit);
        while (line?.Contains("\"path\":\"/streamed\"", StringComparison.Ordinal) == false);
        Assert.StartsWith("data: {", line, StringComparison.Ordinal);

        using var ending = await StreamAsync(platform.World.Issuer.Issue(new TokenRequest
        {
            Subject = "oscar",
            Roles = ["platform-operator"],
            Expires = TimeSpan.FromSeconds(2),
        }));
        await ending.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit);
    }

    [Theory]
    [InlineData("the key is removed")]
    [InlineData("the policy no longer admits the caller")]
    public async Task The_stream_ends_when_its_caller_may_no_longer_use_the_API(string change)
    {
        var key = ApiKeys.NewKey();
        var gateway = await platform.World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("Authorization:Policies:Operators", """{ "Roles": ["platform-operator"] }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .AddKey("ci-robot", key, """{ "Roles": ["platform-operator"] }"""));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{gateway.ManagementUrl}/api/stream");
        ApiKeys.With(key)(request);
        using var response = await s_client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);

        await gateway.ChangeAsync(settings =>
        {
            if (change.StartsWith("the key", StringComparison.Ordinal)) settings["Authentication"]!["ApiKeys"]!["Keys"]!.AsObject().Remove("ci-robot");
            else settings.Set("Authorization:Policies:Operators", """{ "Roles": ["another"] }""");
        });

        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken).WaitAsync(Eventually.Limit);
    }

    private async Task<HttpResponseMessage> StreamAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{platform.Gateway.ManagementUrl}/api/stream");
        request.Headers.Authorization = new("Bearer", token);
        return await s_client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_edge_has_none_of_it()
    {
        foreach (var path in (string[])[.. s_files, .. s_api]) Assert.Equal(404, (await platform.SendAsync(path, platform.Operator())).Status);
    }

    [Theory]
    [MemberData(nameof(Api))]
    public async Task The_API_is_for_those_whom_the_management_policy_allows(string path)
    {
        var request = new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] };
        var forged = platform.World.Issuer.Issue(request with { Key = s_foreign, KeyId = platform.World.Issuer.CurrentKey.KeyId });
        var expired = platform.World.Issuer.Issue(request with
        {
            IssuedAt = TimeSpan.FromHours(-2),
            NotBefore = TimeSpan.FromHours(-2),
            Expires = TimeSpan.FromHours(-1),
        });
        var otherAudience = platform.World.Issuer.Issue(request with { Audiences = ["api://other"] });

        foreach (var refused in (string?[])[null, "none", forged, expired, otherAudience])
        {
            var response = await GetAsync(path, refused);
            Assert.Equal(401, response.Status);
            Assert.Equal("Unauthenticated", response.Error);
        }

        var member = await GetAsync(path, platform.World.Token("o-acme"));
        Assert.Equal((403, "Forbidden"), (member.Status, member.Error));

        var allowed = await GetAsync(path, platform.Operator());
        Assert.Equal(200, allowed.Status);
        Assert.True(allowed.Headers.CacheControl!.NoStore);
        Assert.False(allowed.Headers.Contains("X-Poll-After-Ms"));
        var console = await platform.World.Client.SendAsync(
            platform.Gateway.ManagementUrl + path, platform.Operator(), change: request => request.Headers.Add("X-Poll-After-Ms", "2000"));
        Assert.InRange(int.Parse(Assert.Single(console.Headers.GetValues("X-Poll-After-Ms")), CultureInfo.InvariantCulture), 2000, 30_000);
        Assert.Equal("application/json", allowed.ContentHeaders.ContentType!.MediaType);
    }

    [Fact]
    public async Task Explain_is_for_those_whom_the_management_policy_allows()
    {
        Assert.Equal(401, (await ExplainAsync(new { path = "/" }, null)).Status);
        Assert.Equal(403, (await ExplainAsync(new { path = "/" }, platform.World.Token("o-acme"))).Status);
        Assert.Equal(200, (await ExplainAsync(new { path = "/" }, platform.Operator())).Status);
    }

    [Fact]
    public async Task Without_a_management_policy_nobody_may_read_it()
    {
        var gateway = await platform.World.StartGatewayAsync(static settings => settings.WithoutRedis());

        foreach (var path in s_api) Assert.Equal(403, (await platform.World.Client.SendAsync(gateway.ManagementUrl + path, platform.Operator())).Status);
    }

    [Fact]
    public async Task The_status_has_dependencies_since_when_and_the_traffic_of_the_last_minutes()
    {
        await GetAsync("/api/status", platform.Operator());
        for (var i = 0; i < 3; i++) await platform.SendAsync("/open/status");

        // A request is recorded when it has ended, which is after its response.
        JsonElement status = default;
        await Eventually.IsTrueAsync(async () =>
        {
            status = (await GetAsync("/api/status", platform.Operator())).Json;
            return status.GetProperty("traffic").GetProperty("lastMinute").GetProperty("rate").GetDouble() > 0;
        });

        var checks = status.GetProperty("checks").EnumerateArray().ToDictionary(static check => check.GetProperty("name").GetString()!);
        Assert.Superset(new HashSet<string> { "aws", "configuration", "edge", "issuers", "redis" }, checks.Keys.ToHashSet());
        Assert.All(checks.Values, static check => Assert.Equal("Healthy", check.GetProperty("status").GetString()));
        Assert.All(checks.Values, static check =>
            Assert.InRange(check.GetProperty("since").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow));
        Assert.Matches("^[0-9]+[.][0-9]+[.][0-9]+", status.GetProperty("version").GetString());
        Assert.Equal(90, status.GetProperty("traffic").GetProperty("requests").GetArrayLength());
        Assert.True(status.GetProperty("traffic").GetProperty("lastMinute").GetProperty("p99").GetDouble() > 0);
    }

    [Fact]
    public async Task A_route_has_its_policy_in_words_its_target_its_rate_and_its_refused_requests()
    {
        await GetAsync("/api/routes", platform.Operator());
        var refused = await platform.SendAsync("/organizations/o-other/operators/1?secret=hunter2", platform.World.Token("o-acme"));
        Assert.Equal(403, refused.Status);

        JsonElement request = default;
        await Eventually.IsTrueAsync(async () =>
        {
            var found = (await GetAsync("/api/events?route=operators", platform.Operator())).Json.GetProperty("refused").EnumerateArray()
                .Where(entry => entry.GetProperty("requestId").GetString() == refused.Headers.GetValues("X-Request-Id").Single()).ToList();
            if (found.Count == 1) request = found[0];
            return found.Count == 1;
        });
        Assert.Equal(("GET", "/organizations/o-other/operators/1", 403, "o-other", "alice"), (
            request.GetProperty("method").GetString(), request.GetProperty("path").GetString(), request.GetProperty("status").GetInt32(),
            request.GetProperty("organization").GetString(), request.GetProperty("subject").GetString()));
        Assert.NotEqual("", request.GetProperty("reason").GetString());

        var routes = (await GetAsync("/api/routes", platform.Operator())).Json.GetProperty("routes").EnumerateArray()
            .ToDictionary(static row => row.GetProperty("route").GetProperty("route").GetString()!);
        var row = routes["operators"];
        Assert.StartsWith("IotOperator: ", row.GetProperty("who").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("cluster organizations: http://127.0.0.1:", row.GetProperty("target").GetString(), StringComparison.Ordinal);
        Assert.True(row.GetProperty("live").GetProperty("refusedRate").GetDouble() > 0);
        Assert.StartsWith("!! ANYONE", routes["open"].GetProperty("who").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, routes["trusted"].GetProperty("live").GetProperty("rate").GetDouble());
    }

    [Fact]
    public async Task A_cluster_has_its_destinations_with_their_health()
    {
        var cluster = (await GetAsync("/api/clusters", platform.Operator())).Json.GetProperty("clusters").EnumerateArray().Single();

        var destination = cluster.GetProperty("destinations").EnumerateArray().Single();
        Assert.Equal(("organizations", "a", true), (
            cluster.GetProperty("cluster").GetString(), destination.GetProperty("destination").GetString(), destination.GetProperty("available").GetBoolean()));
        Assert.DoesNotContain("hunter2", cluster.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vending_has_organizations_by_last_use_and_outcomes()
    {
        await GetAsync("/api/vending", platform.Operator());
        foreach (var organization in (string[])["o-first", "o-second", "o-first"]) Assert.Equal(200, (await platform.Gateway.VendAsync(organization)).Status);

        JsonElement vending = default;
        await Eventually.IsTrueAsync(async () =>
        {
            vending = (await GetAsync("/api/vending", platform.Operator())).Json;
            return vending.GetProperty("organizations").EnumerateArray().Any(static row =>
                row.GetProperty("organization").GetString() == "o-first" && row.GetProperty("vends").GetInt32() == 2);
        });
        var rows = vending.GetProperty("organizations").EnumerateArray().Select(static row => row.GetProperty("organization").GetString()).ToList();
        Assert.True(rows.IndexOf("o-first") < rows.IndexOf("o-second"));
        Assert.True(vending.GetProperty("outcomes").GetProperty("sts").GetInt32() >= 2);
        Assert.True(vending.GetProperty("outcomes").GetProperty("l1").GetInt32() >= 1);
        Assert.True(vending.GetProperty("calls").GetProperty("AssumeRole").GetProperty("requests").GetInt32() >= 2);
        Assert.Equal(100, vending.GetProperty("sts").GetProperty("permitsPerSecond").GetInt32());

        var vend = (await GetAsync("/api/events", platform.Operator())).Json.GetProperty("vends").EnumerateArray().First(static vend =>
            vend.GetProperty("organization").GetString() == "o-first");
        Assert.Equal(("L1", "alice"), (vend.GetProperty("outcome").GetString(), vend.GetProperty("subject").GetString()));
    }

    [Fact]
    public async Task Vending_has_the_renewals_in_the_background_and_those_that_failed()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(ConsoleFixture.Operators);
        foreach (var organization in (string[])["o-first", "o-second"]) await gateway.VendAsync(organization);
        time.Advance(TimeSpan.FromMinutes(40));
        Assert.Equal((0, 0), await RenewalsAsync());

        await gateway.VendAsync("o-first");
        await Eventually.IsTrueAsync(async () => await RenewalsAsync() == (1, 0));
        using var fault = world.Aws.Inject(AwsFault.Error("AccessDenied"), "AssumeRole");
        await gateway.VendAsync("o-second");
        await Eventually.IsTrueAsync(async () => await RenewalsAsync() == (2, 1));

        async Task<(int Times, int Failed)> RenewalsAsync()
        {
            var token = world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });
            var renewed = (await world.Client.SendAsync(gateway.ManagementUrl + "/api/vending", token)).Json.GetProperty("refreshes");
            return renewed.TryGetProperty("credentials", out var credentials)
                ? (credentials.GetProperty("requests").GetInt32(), credentials.GetProperty("errors").GetInt32())
                : (0, 0);
        }
    }

    [Fact]
    public async Task A_standard_output_that_fails_is_an_event_while_it_does_and_a_line_when_it_is_over()
    {
        var (isFull, text) = (true, new StringBuilder());
        var gateway = await platform.World.StartGatewayAsync(ConsoleFixture.Operators, services => services.AddSingleton(new StandardOutput(lines =>
        {
            // ENOSPC
            if (Volatile.Read(ref isFull)) throw new IOException("hunter2", 28);
            lock (text) text.Append(Encoding.UTF8.GetString(lines));
        })));

        await Eventually.IsTrueAsync(async () =>
        {
            Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
            return (await EventsAsync()).Count > 0;
        });
        Assert.StartsWith(
            "Log lines cannot be written to standard output: the disk is full.", Assert.Single(await EventsAsync()), StringComparison.Ordinal);

        Volatile.Write(ref isFull, false);
        await Eventually.IsTrueAsync(async () =>
        {
            await gateway.VendAsync("o-acme");
            lock (text) return text.ToString().Contains("\"requestId\"", StringComparison.Ordinal);
        });
        await gateway.Log.WaitForAsync(LogLevel.Warning, "The output takes log entries again.");
        Assert.Single(await EventsAsync());

        async Task<List<string?>> EventsAsync() =>
        [
            .. (await platform.World.Client.SendAsync(gateway.ManagementUrl + "/api/events", platform.Operator())).Json.GetProperty("events").EnumerateArray()
                .Where(static entry => entry.GetProperty("event").GetString() == "LogOutputFailed")
                .Select(static entry => entry.GetProperty("text").GetString()),
        ];
    }

    [Fact]
    public async Task A_refused_change_is_shown_with_its_findings_and_as_an_event()
    {
        var gateway = await platform.World.StartGatewayAsync(ConsoleFixture.Operators);
        var good = gateway.Folder.Read("appsettings.json");
        gateway.Folder.Write("appsettings.json", """{ "Urls": 7 }""");
        await gateway.CheckForChangesAsync();

        var configuration = (await StatusAsync()).GetProperty("configuration");
        Assert.True(configuration.GetProperty("isRefused").GetBoolean());
        Assert.NotEmpty(configuration.GetProperty("lastRefused").GetProperty("findings").EnumerateArray());

        gateway.Folder.Write("appsettings.json", good);
        await gateway.CheckForChangesAsync();

        configuration = (await StatusAsync()).GetProperty("configuration");
        Assert.False(configuration.GetProperty("isRefused").GetBoolean());
        Assert.NotEmpty(configuration.GetProperty("lastRefused").GetProperty("findings").EnumerateArray());
        var events = (await platform.World.Client.SendAsync(gateway.ManagementUrl + "/api/events", platform.Operator())).Json;
        Assert.Contains("ConfigurationRefused", events.GetProperty("events").EnumerateArray().Select(static entry => entry.GetProperty("event").GetString()));

        async Task<JsonElement> StatusAsync() => (await platform.World.Client.SendAsync(gateway.ManagementUrl + "/api/status", platform.Operator())).Json;
    }

    [Fact]
    public async Task Explain_says_which_route_takes_a_request_and_why_a_caller_may_not()
    {
        var explained = (await ExplainAsync(
            new { method = "GET", path = "/organizations/o-other/operators/1", token = platform.World.Token("o-acme") }, platform.Operator())).Json;

        Assert.Equal((403, "operators"), (explained.GetProperty("refused").GetInt32(), explained.GetProperty("route").GetProperty("route").GetString()));
        Assert.Contains(explained.GetProperty("token").GetProperty("requirements").EnumerateArray(), static judged => !judged.GetProperty("met").GetBoolean());

        var vend = (await ExplainAsync(new { organization = "o-acme" }, platform.Operator())).Json;
        Assert.Equal("o-acme", vend.GetProperty("assumeRole").GetProperty("sessionName").GetString());

        var nothing = (await ExplainAsync(new { path = "organizations" }, platform.Operator())).Json;
        Assert.StartsWith("There is no request to explain", nothing.GetProperty("problem").GetString(), StringComparison.Ordinal);
        foreach (var (path, host, status) in ((string, string?, int)[])[("/" + new string('a', 9000), null, 414), ("/organizations/o-acme/1", "a b", 400)])
        {
            var unparsed = (await ExplainAsync(new { path, host }, platform.Operator())).Json;
            Assert.Equal(status, unparsed.GetProperty("refused").GetInt32());
            Assert.StartsWith("as HTTP/1.1, before any step of the gateway", unparsed.GetProperty("why").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(413, (await ExplainAsync(new { path = new string('/', 70_000) }, platform.Operator())).Status);
    }

    private Task<Response> GetAsync(string path, string? token) => platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path, token);

    private Task<Response> ExplainAsync(object form, string? token) => platform.World.Client.SendAsync(
        platform.Gateway.ManagementUrl + "/api/explain", token, "POST", request => request.Content = JsonContent.Create(form));

    [GeneratedRegex("""<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:""", RegexOptions.IgnoreCase)]
    private static partial Regex Inline();

    // The namespace of SVG is a name, and nothing is loaded from it.
    [GeneratedRegex("""(?<!['"])https?://|\burl\(|@import""")]
    private static partial Regex Elsewhere();

    [GeneratedRegex("""innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|localStorage|document\.cookie""")]
    private static partial Regex Markup();
}

/// <summary>A gateway whose management policy asks for the role <c>platform-operator</c>.</summary>
public sealed class ConsoleFixture : PlatformFixture
{
    public string Operator() => World.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });

    public static void Operators(JsonObject settings) => settings.WithoutRedis()
        .Set("Authorization:Policies:Operators", """{ "Roles": ["platform-operator"] }""").Set("Management:AuthorizationPolicy", "\"Operators\"");

    protected override void Change(JsonObject settings) => Operators(settings);
}
