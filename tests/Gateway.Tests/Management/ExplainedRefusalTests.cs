using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Recording;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>Why was this refused? By a request id, a trace id or a line of the access log, on the management listener.</summary>
public sealed class ExplainedRefusalTests(ConsoleFixture platform) : IClassFixture<ConsoleFixture>
{
    [Fact]
    public async Task A_request_id_a_trace_id_and_the_line_tell_route_reason_and_what_to_do_though_no_console_was_open()
    {
        var refused = await platform.SendAsync("/organizations/o-other/operators/1?secret=hunter2", platform.World.Token("o-acme"));
        var id = refused.Headers.GetValues("X-Request-Id").Single();
        var line = "";
        // A line is written behind its response.
        await Eventually.IsTrueAsync(() => (line = platform.Gateway.Log.Text.Split('\n').LastOrDefault(
            text => text.StartsWith("{\"time\"", StringComparison.Ordinal) && text.Contains(id, StringComparison.Ordinal)) ?? "").Length > 0);
        var trace = JsonDocument.Parse(line).RootElement.GetProperty("traceId").GetString()!;

        foreach (var asked in (string[])[id, id.ToUpperInvariant(), $" {trace}\n", $"00-{trace}-00f067aa0ba902b7-01", line])
        {
            var explained = (await ExplainAsync(asked)).Json;

            Assert.Equal("refused with 403 (organization)", explained.GetProperty("outcome").GetString());
            Assert.Equal("the organization of the path is none of the caller's", explained.GetProperty("why").GetString());
            Assert.Contains("organization claim", explained.GetProperty("do").GetString(), StringComparison.Ordinal);
            var logged = explained.GetProperty("logged");
            Assert.Equal(("operators", "alice", "o-other", id), (
                logged.GetProperty("route").GetString(), logged.GetProperty("subject").GetString(), logged.GetProperty("organization").GetString(),
                logged.GetProperty("requestId").GetString()));
            Assert.Equal("operators", explained.GetProperty("now").GetProperty("route").GetProperty("route").GetString());
            var notes = Notes(explained);
            Assert.Contains(notes, static note => note.StartsWith("the policy IotOperator asks for: ", StringComparison.Ordinal));
            Assert.Contains(notes, static note => note.StartsWith("not known from this: the token", StringComparison.Ordinal));
            Assert.DoesNotContain("hunter2", explained.ToString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("0123456789abcdef0123456789abcdef", "This replica has refused no such request")]
    [InlineData("0123456789abcdef", "no request id or trace id")]
    [InlineData("'; DROP TABLE requests; --", "no request id or trace id")]
    [InlineData("00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7", "no request id or trace id")]
    [InlineData("{", "no JSON object")]
    [InlineData("{}", "no method")]
    [InlineData("""{ "method": "GET", "path": "/" }""", "no status")]
    [InlineData("""{ "method": "GET", "path": "/", "status": "403" }""", "status is no number")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 1e9 }""", "no status")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 403, "method": "POST" }""", "doubled members")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 403, "authorization": "Bearer x" }""", "\"authorization\" is none of the access log's")]
    [InlineData("""{ "method": "GET", "path": ["/"], "status": 403 }""", "path is no text")]
    [InlineData("""{ "method": "G T", "path": "/", "status": 403 }""", "no method")]
    [InlineData("""{ "method": "GET", "path": "/\u0007", "status": 403 }""", "path holds a control character")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 403, "subject": "a\u001b[2J" }""", "subject holds a control character")]
    [InlineData("""{ "method": "GET", "path": "/\ud800", "status": 404 }""", "half of a character")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 404, "\udc00": "" }""", "half of a character")]
    [InlineData("""{ "time": "2026-01-01T00:00:00Z", "event": "Audit", "organization": "o-acme" }""", "audit log")]
    public async Task What_is_neither_is_told_so(string asked, string problem)
    {
        var explained = await ExplainAsync(asked);

        Assert.Equal(200, explained.Status);
        Assert.Contains(problem, explained.Json.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.False(explained.Json.TryGetProperty("logged", out _));
    }

    [Fact]
    public async Task A_line_that_is_too_long_or_two_lines_are_told_so()
    {
        var subject = new string('s', 40_000);
        var path = new string('p', 600);
        var deep = new string('[', 5_000);
        foreach (var (asked, problem) in new[]
        {
            ($$"""{ "method": "GET", "path": "/", "status": 403, "subject": "{{subject}}" }""", "longer than a line"),
            ($$"""{ "method": "GET", "path": "/{{path}}", "status": 403 }""", "no path of up to 512"),
            ($$"""{ "method": {{deep}} }""", "no JSON object"),
            ("{ \"method\": \"GET\" }\n{ \"method\": \"GET\" }", "more than one line"),
        })
        {
            Assert.Contains(problem, (await ExplainAsync(asked)).Json.GetProperty("problem").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(413, (await ExplainAsync(new string('x', 70_000))).Status);
    }

    [Theory]
    [InlineData("/a%2", 400)]
    [InlineData("/a/../b", 400)]
    [InlineData("/%00", 400)]
    [InlineData("*", null)]
    [InlineData("", null)]
    [InlineData("/\\ud83d\\ude00/{organizationId}", 400)]
    public async Task Any_path_that_was_logged_is_explained(string path, int? refused)
    {
        var explained = await ExplainAsync($$"""{ "method": "GET", "path": "{{path}}", "status": 400, "reason": "path" }""");

        Assert.Equal(200, explained.Status);
        Assert.Equal("refused with 400 (path)", explained.Json.GetProperty("outcome").GetString());
        Assert.Equal(refused, explained.Json.TryGetProperty("now", out var now) && now.TryGetProperty("refused", out var status) ? status.GetInt32() : null);
    }

    [Theory]
    [InlineData("/%00")]
    [InlineData("/\0")]
    [InlineData("/%C0%80")]
    public async Task A_path_that_no_server_reads_is_the_guards_400(string path)
    {
        var explained = await platform.World.Client.SendAsync(
            platform.Gateway.ManagementUrl + "/api/explain", platform.Operator(), "POST", request => request.Content = JsonContent.Create(new { path }));

        Assert.Equal((200, 400), (explained.Status, explained.Json.GetProperty("refused").GetInt32()));
    }

    [Theory]
    [InlineData("""{ "method": "GET", "path": "/plain/1", "route": "plain", "status": 404, "upstream": "http://s:1/" }""", "404 from the service http://s:1/")]
    [InlineData("""{ "method": "GET", "path": "/plain/1", "route": "plain", "status": 200, "upstream": null }""", "200 from the gateway")]
    [InlineData("""{ "method": "GET", "path": "/plain/1", "route": "gone", "status": 403, "reason": "policy" }""", "refused with 403 (policy)")]
    [InlineData("""{ "method": "GET", "path": "/plain/1", "status": 429, "reason": "limit:PerOrganization" }""", "refused with 429 (limit:PerOrganization)")]
    [InlineData("""{ "method": "GET", "path": "/plain/1", "status": 400, "reason": "unheard_of" }""", "refused with 400 (unheard_of)")]
    public async Task The_outcome_says_who_responded(string line, string outcome)
    {
        var explained = (await ExplainAsync(line)).Json;

        Assert.Equal(outcome, explained.GetProperty("outcome").GetString());
        Assert.Equal(line.Contains("gone", StringComparison.Ordinal), Notes(explained).Contains("there is no route \"gone\" any more"));
    }

    [Fact]
    public async Task It_is_for_those_whom_the_management_policy_allows()
    {
        foreach (var (token, status) in (IEnumerable<(string?, int)>)[(null, 401), (platform.World.Token("o-acme"), 403)])
            Assert.Equal(status, (await ExplainAsync("0123456789abcdef0123456789abcdef", token)).Status);
    }

    [Fact]
    public void Refused_requests_are_kept_for_15_minutes_and_a_flood_of_one_kind_leaves_the_others()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var kept = new RefusedRequests(time);
        kept.Add(Refused("organization", "wanted"));
        for (var i = 0; i < 10_000; i++) kept.Add(Refused("no_token", $"{i}"));
        for (var i = 0; i < 10_000; i++) kept.Add(Refused($"limit:{i}", $"limited-{i}"));

        Assert.Single(kept.Find("wanted"));
        Assert.Single(kept.Find("9999"));
        Assert.Empty(kept.Find("9899"));
        Assert.InRange(kept.Find("a trace").Count, 1, 64 * RefusedRequests.PerReason);

        time.Advance(RefusedRequests.Kept + TimeSpan.FromSeconds(1));
        Assert.Empty(kept.Find("wanted"));

        // A WebSocket of two hours that has just ended.
        kept.Add(Refused("upstream:upgrade_response_destination", "long", TimeSpan.FromHours(2)));
        Assert.Single(kept.Find("long"));

        RefusedRequest Refused(string reason, string id, TimeSpan duration = default) =>
            RefusedRequest.Of(time.GetUtcNow() - duration, "a", "GET", "/", 403, reason, null, null, null, id, traceId: "a trace");
    }

    private static string[] Notes(JsonElement explained) => [.. explained.GetProperty("notes").EnumerateArray().Select(static note => note.GetString()!)];

    private Task<Response> ExplainAsync(string logged) => ExplainAsync(logged, platform.Operator());

    private Task<Response> ExplainAsync(string logged, string? token) => platform.World.Client.SendAsync(
        platform.Gateway.ManagementUrl + "/api/explain", token, "POST", request => request.Content = JsonContent.Create(new { logged }));
}
