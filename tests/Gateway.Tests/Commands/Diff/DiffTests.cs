using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Differences;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Diff;

/// <summary><c>diff</c>: what a change means, as a program says it.</summary>
public sealed class DiffTests
{
    private const string NewKey = "Authentication:ApiKeys:Keys:second";
    private const string NewKeyValue = """{ "Sha256": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" }""";

    [Fact]
    public async Task A_configuration_and_itself_differ_in_nothing()
    {
        using var folder = new GatewayFolder(ConfigurationPair.Before());

        var text = await CommandResult.RunAsync(["diff", folder.Path, folder.Path]);
        var file = await CommandResult.RunAsync(["diff", folder.Path, Path.Combine(folder.Path, "appsettings.json"), "--format", "json"]);

        Assert.Equal((0, "", ""), (text.ExitCode, text.Output, text.Error));
        Assert.Equal((0, false, 0), (file.ExitCode, file.Json.GetProperty("loosened").GetBoolean(), file.Json.GetProperty("changes").GetArrayLength()));
        Assert.Equal(file.Json.GetProperty("old").GetProperty("hash").GetString(), file.Json.GetProperty("new").GetProperty("hash").GetString());
    }

    [Fact]
    public async Task Something_loosened_is_exit_3_and_anything_else_0()
    {
        using var before = new GatewayFolder(ConfigurationPair.Before());
        using var after = new GatewayFolder(ConfigurationPair.Before()
            .Set("RateLimiting:Policies:Few:PermitLimit", "50").Set("Shutdown:Delay", "\"00:00:05\""));

        var opened = await CommandResult.RunAsync(["diff", before.Path, after.Path]);
        var closed = await CommandResult.RunAsync(["diff", after.Path, before.Path, "--format", "json"]);

        Assert.Equal(
            (3, """
                LOOSENED   route reports: Limit:PermitLimit: 5 → 50
                LOOSENED   route tasks: Limit:PermitLimit: 5 → 50
                CHANGED    Shutdown:Delay: 00:00:00 → 00:00:05

                2 loosened, 1 changed otherwise

                """),
            (opened.ExitCode, opened.Output));
        Assert.Equal(0, closed.ExitCode);
        Assert.Equal(
            ["tightened", "tightened", "changed"],
            closed.Json.GetProperty("changes").EnumerateArray().Select(static change => change.GetProperty("effect").GetString()));
    }

    [Fact]
    public async Task The_environment_and_the_command_line_are_the_same_for_both()
    {
        using var before = new GatewayFolder(ConfigurationPair.Before());
        using var after = new GatewayFolder(ConfigurationPair.Before().Remove("RateLimiting", "Policies", "Few", "PermitLimit"));
        var variables = new Dictionary<string, string>
        {
            ["RateLimiting__Policies__Few__PermitLimit"] = "7",
            ["GATEWAY_CONFIG"] = "/nowhere",
        };

        var same = await CommandResult.RunAsync(["diff", before.Path, after.Path, "--Shutdown:Delay", "00:00:01"], variables);

        Assert.Equal((0, "", ""), (same.ExitCode, same.Output, same.Error));
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task Errors_are_told_with_their_configuration_and_exit_as_check_does(string format)
    {
        using var good = new GatewayFolder(ConfigurationPair.Before());
        using var wrong = new GatewayFolder(ConfigurationPair.Before().Set("Edge:Method", "[]"));

        var failed = await CommandResult.RunAsync(["diff", good.Path, wrong.Path, "--format", format]);
        var absent = await CommandResult.RunAsync(["diff", good.Path + "-none", wrong.Path, "--format", format]);
        var log = await CommandResult.RunAsync(["diff", good.Path, good.Path, "--requests", good.Path + "-none"]);
        var empty = await CommandResult.RunAsync(["diff", good.Path, good.Path, "--requests", ""]);

        Assert.Equal((1, 2, 2, 2), (failed.ExitCode, absent.ExitCode, log.ExitCode, empty.ExitCode));
        if (format == "text") Assert.StartsWith("NEW: error Edge:Method ", failed.Error, StringComparison.Ordinal);
        else Assert.Equal("Edge:Method", failed.Json.GetProperty("new").GetProperty("findings")[0].GetProperty("key").GetString());
    }

    // Whichever way it is written, a folder beside OLD and NEW could take the place of one of them.
    [Theory]
    [InlineData("--config", "OLD")]
    [InlineData("--config=OLD")]
    [InlineData("config=OLD")]
    [InlineData("--Config", "OLD")]
    [InlineData("--CONFIG=OLD")]
    public async Task A_third_folder_is_rejected(params string[] written)
    {
        using var before = new GatewayFolder(ConfigurationPair.Before());
        using var after = new GatewayFolder(ConfigurationPair.Before().Set("RateLimiting:Policies:Few:PermitLimit", "50"));
        foreach (var name in (string[])["", "appsettings.json"])
        {
            var third = written.Select(part => part.Replace("OLD", before.Path, StringComparison.Ordinal));

            var diff = await CommandResult.RunAsync(["diff", Path.Combine(before.Path, name), Path.Combine(after.Path, name), .. third]);

            Assert.Equal((1, "error: --config is given: diff reads OLD and NEW instead\n", ""), (diff.ExitCode, diff.Error, diff.Output));
        }
    }

    [Fact]
    public async Task Logged_requests_are_grouped_by_route_and_change_with_examples()
    {
        using var before = new GatewayFolder(ConfigurationPair.Before());
        using var after = new GatewayFolder(ConfigurationPair.Before()
            .Set("Authorization:Policies:Operator:Scopes", """["other"]""")
            .Set("ReverseProxy:Routes:open:AuthorizationPolicy", "\"Default\"")
            .Remove("Authentication", "ApiKeys", "Keys", "robot"));
        File.WriteAllLines(Path.Combine(before.Path, "access.log"),
        [
            .. Enumerable.Range(0, 5).Select(index => Line("GET", $"/tasks/{index}", "tasks", 200, null, "Platform", "alice")),
            Line("GET", "/tasks/1", "tasks", 403, "scopes", "Platform", "bob"),
            Line("GET", "/tasks/1", "tasks", 200, null, "ApiKeys", "robot"),
            Line("GET", "/open/1", "open", 200, null, null, null),
            Line("GET", "/nowhere", null, 401, "no_token", null, null),
            Line("OPTIONS", "*", null, 404, "no_route", "Platform", "alice"),
            Line("GET", "/organizations/o-acme/x", "organizations", 200, null, "Platform", "alice"),
            "2026-11-27 no JSON at all",
            """{ "time": "2026-03-01T09:30:00.123Z", "event": "Audit" }""",
            $$"""{ "method": "GET", "path": "{{new string('x', 100_000)}}", "status": 200 }""",
        ]);

        var diff = await CommandResult.RunAsync(["diff", before.Path, after.Path, "--format", "json", "--requests", Path.Combine(before.Path, "access.log")]);

        var requests = diff.Json.GetProperty("requests");
        Assert.Equal((11, 3), (requests.GetProperty("requests").GetInt32(), requests.GetProperty("malformed").GetInt32()));
        Assert.Equal(
            [
                ("tasks", "let in → unknown: the log does not tell scopes", 5),
                ("open", "let in → 401 (no_token)", 1),
                ("tasks", "403 (scopes) → unknown: the log does not tell scopes", 1),
                ("tasks", "let in → 401 (api_key)", 1),
            ],
            requests.GetProperty("changes").EnumerateArray()
                .Select(static group => (
                    group.GetProperty("route").GetString()!, group.GetProperty("change").GetString()!, group.GetProperty("count").GetInt32()))
                .OrderByDescending(static group => group.Item3).ThenBy(static group => group.Item1, StringComparer.Ordinal)
                .ThenBy(static group => group.Item2, StringComparer.Ordinal));
        Assert.Equal(
            ["GET /tasks/0", "GET /tasks/1", "GET /tasks/2"],
            requests.GetProperty("changes")[0].GetProperty("examples").EnumerateArray().Select(static example => example.GetString()));
    }

    [Fact]
    public async Task A_route_with_conditions_that_the_log_does_not_hold_is_known_by_the_log_or_not_at_all()
    {
        var settings = ConfigurationPair.Before()
            .Route("by-host", "/places/{**rest}", """{ "Match": { "Hosts": ["api.example.com"] }, "AuthorizationPolicy": "Anonymous" }""")
            .Route("places", "/places/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""");
        using var before = new GatewayFolder(settings);
        using var after = new GatewayFolder(settings
            .Route("new-host", "/places/{**rest}", """{ "Match": { "Hosts": ["new.example.com"] }, "AuthorizationPolicy": "Anonymous" }"""));
        var cut = "/places/" + new string('x', 502) + "%C";
        File.WriteAllLines(Path.Combine(before.Path, "access.log"),
        [
            Line("GET", cut, "places", 200, null, null, null),
            Line("GET", "/places/1", "places", 200, null, null, null), Line("GET", "/places/1", "by-host", 200, null, null, null),
        ]);

        var same = await CommandResult.RunAsync(["diff", before.Path, before.Path, "--requests", Path.Combine(before.Path, "access.log")]);
        var diff = await CommandResult.RunAsync(["diff", before.Path, after.Path, "--requests", Path.Combine(before.Path, "access.log")]);

        Assert.Equal("\n3 requests: the same route, status and target for each\n", same.Output);
        Assert.Contains("the log does not tell host\n", diff.Output, StringComparison.Ordinal);
        Assert.Contains("the log does not tell the path, which the log cuts\n", diff.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_and_itself_treat_every_logged_request_alike()
    {
        using var folder = new GatewayFolder(ConfigurationPair.Before()
            .Set("ReverseProxy:Routes:tasks:Metadata:IpAllow", "\"192.0.2.0/24\"")
            .Set("Authorization:Policies:Operator", """{ "Scopes": ["operate"], "Roles": ["operator"], "Schemes": ["ApiKeys"] }"""));
        var log = Path.Combine(folder.Path, "access.log");
        (int Status, string? Reason)[] outcomes =
        [
            (400, "encoded_slash"), (400, "path"), (400, "framing"), (400, "bad_request"), (401, "no_token"), (401, "token_expired"), (401, "audience"),
            (401, "issuer"), (401, "signature"), (401, "token_claims"), (401, "ambiguous"), (401, "api_key"), (401, "api_key_expired"), (401, "introspection"),
            (403, "organization"), (403, "scopes"), (403, "roles"), (403, "schemes"), (403, "policy"), (403, "client_address"), (403, "organization_unknown"),
            (403, "caller_claims"), (403, "no_policy"), (404, "no_route"), (405, "method"), (408, "request_timeout"), (413, "body_too_large"),
            (421, "misdirected"),
            (422, "organization_id"), (422, "minimum_lifetime"), (429, "locked_out"), (429, "limit:Few"), (429, "upgrades"), (429, "in_flight"),
            (499, "client_left"), (500, "internal"), (502, "upstream:request"), (503, "issuer_unavailable"), (503, "vend:throttled"), (504, "timeout"),
            (508, "loop"), (418, "other"), (200, null), (404, null),
        ];
        (string Path, string? Route)[] places =
            [("/tasks/1", "tasks"), ("/organizations/o-acme/x", "organizations"), ("/reports/o-acme/x", "reports"), ("/open/1", "open"), ("/nowhere", null)];
        (string? Scheme, string? Subject)[] callers = [(null, null), ("Platform", "alice"), ("ApiKeys", "robot")];
        // Without a caller, a path without a route is 401.
        string[] lines = [..
            from outcome in outcomes from place in places from caller in callers from method in (string[])["GET", "POST", "OPTIONS"]
            from route in (string?[])[place.Route, null]
            where caller.Scheme is not null || outcome.Reason != "no_route"
            select Line(method, place.Path, route, outcome.Status, outcome.Reason, caller.Scheme, caller.Subject)];
        File.WriteAllLines(log, ["\uFEFF" + Line("GET", "/tasks/1", "tasks", 200, null, "Platform", "alice"), .. lines]);

        var diff = await CommandResult.RunAsync(["diff", folder.Path, folder.Path, "--requests", log]);

        Assert.Equal($"\n{lines.Length + 1} requests: the same route, status and target for each\n", diff.Output);
    }

    [Theory]
    // The requirements before the logged one were met, and the one that was not is still asked for.
    [InlineData("Authorization:Policies:Reader:Roles", """["other"]""", "reports", "scopes", "Platform", null)]
    // An earlier requirement that cannot be told does not let in what a later one refuses.
    [InlineData("Authorization:Policies:Reader:Scopes", """["other"]""", "reports", "roles", "Platform", null)]
    [InlineData(NewKey, NewKeyValue, "tasks", "no_token", null, "401 (no_token) → unknown: the log does not tell the token, scopes")]
    [InlineData(NewKey, NewKeyValue, null, "no_token", null, "401 (no_token) → unknown: the log does not tell the token")]
    [InlineData("Authentication:ApiKeys:Header", "\"X-Other\"", "tasks", null, "ApiKeys", "let in → unknown: the log does not tell the key, scopes")]
    [InlineData("Edge:TrustedProxies", """["192.0.2.9"]""", "reports", null, "Platform", "let in → unknown: the log does not tell the client's address")]
    public async Task A_logged_request_is_judged_by_all_that_its_line_proves(
        string key, string value, string? route, string? reason, string? scheme, string? change)
    {
        var settings = ConfigurationPair.Before();
        using var before = new GatewayFolder(settings);
        using var after = new GatewayFolder(settings.Set(key, value));
        var log = Path.Combine(before.Path, "access.log");
        var status = reason switch { null => 200, "no_token" => 401, _ => 403 };
        var subject = scheme switch { null => null, "ApiKeys" => "robot", _ => "alice" };
        File.WriteAllText(log, Line("GET", $"/{route ?? "nowhere"}/o-acme/1", route, status, reason, scheme, subject));

        var diff = await CommandResult.RunAsync(["diff", before.Path, after.Path, "--format", "json", "--requests", log]);

        Assert.Equal(
            change is null ? [] : [change],
            diff.Json.GetProperty("requests").GetProperty("changes").EnumerateArray().Select(static group => group.GetProperty("change").GetString()!));
    }

    [Theory]
    [InlineData("Web", "GET", "Web", "GET")]
    // A policy responds to a preflight, whatever it allows.
    [InlineData("Web", "GET", "Disable", "GET")]
    [InlineData("Web", "GET", null, "GET", "204 web: route web → none; let in → 405 (method)")]
    [InlineData("Web", "GET", "Web", "POST", "204 web: route web → none; let in → unknown: the log does not tell a preflight's headers",
        "405: 405 (method) → unknown: the log does not tell a preflight's headers")]
    [InlineData("Web", "GET", "Web", null, "405: route none → web; 405 (method) → unknown: the log does not tell the token")]
    [InlineData("Web", "GET", null, null, "204 web: let in → 401 (no_token)",
        "405: route none → web; 405 (method) → unknown: the log does not tell the token")]
    [InlineData(null, "GET", "Web", "GET", "405: 405 (method) → unknown: the log does not tell a preflight's headers")]
    [InlineData("Web", null, null, null, "204 web: let in → 401 (no_token)")]
    [InlineData("Web", null, "Web", "GET", "204 web: route web → none; let in → unknown: the log does not tell a preflight's headers")]
    [InlineData(null, null, null, null)]
    [InlineData(null, null, "Web", null, "401 web: 401 (no_token) → unknown: the log does not tell a preflight's headers")]
    public async Task A_preflight_is_judged_as_the_gateway_does_or_unknown(
        string? oldCors, string? oldMethods, string? newCors, string? newMethods, params string[] changes)
    {
        using var before = new GatewayFolder(Settings(oldCors, oldMethods));
        using var after = new GatewayFolder(Settings(newCors, newMethods));
        List<string> told = [];
        // A preflight has a route if a policy responded to it. Other requests with OPTIONS have one if the route takes every method.
        foreach (var (route, status, reason) in new (string?, int, string?)[] { ("web", 204, null), (null, 405, "method"), ("web", 401, "no_token") })
        {
            if (status switch { 204 => oldCors is null, 405 => oldMethods is null, _ => oldCors is not null || oldMethods is not null }) continue;
            var log = Path.Combine(before.Path, $"{status}.log");
            File.WriteAllText(log, Line("OPTIONS", "/web/1", route, status, reason, null, null));

            var diff = await CommandResult.RunAsync(["diff", before.Path, after.Path, "--format", "json", "--requests", log]);

            told.AddRange(diff.Json.GetProperty("requests").GetProperty("changes").EnumerateArray()
                .Select(group => $"{status}{(route is null ? "" : " " + route)}: {group.GetProperty("change").GetString()}"));
        }

        Assert.Equal(changes, told);

        static JsonObject Settings(string? cors, string? method) => ConfigurationPair.Before()
            .Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"], "Methods": ["GET"] }""")
            .Route("web", "/web/{**rest}", $$"""
                {
                  "AuthorizationPolicy": "Default"{{(cors is null ? "" : $", \"CorsPolicy\": \"{cors}\"")}},
                  "Match": { {{(method is null ? "" : $"\"Methods\": [\"{method}\"]")}} }
                }
                """);
    }

    [Fact]
    public async Task A_line_with_names_longer_than_the_gateways_is_malformed()
    {
        using var folder = new GatewayFolder(ConfigurationPair.Before());
        var log = Path.Combine(folder.Path, "access.log");
        var longest = new string('x', 5_000);
        File.WriteAllLines(log,
        [
            Line("GET", "/" + longest, null, 404, "no_route", "Platform", "alice"), Line(longest, "/tasks/1", "tasks", 200, null, "Platform", "alice"),
            Line("GET", "/tasks/1", "tasks", 200, null, longest, "alice"), Line("GET", "/tasks/1", "tasks", 200, null, "Platform", longest),
        ]);

        var diff = await CommandResult.RunAsync(["diff", folder.Path, folder.Path, "--requests", log]);

        Assert.Equal("\n0 requests, 4 other lines, which are left out: nothing was compared\n", diff.Output);
    }

    [Fact]
    public async Task A_long_log_is_read_in_bounded_memory()
    {
        using var folder = new GatewayFolder(ConfigurationPair.Before());
        var log = Path.Combine(folder.Path, "access.log");
        var lines = Sample.Count(20_000, 1_000_000);
        await using (var writer = new StreamWriter(log))
            for (var index = 0; index < lines; index++)
                await writer.WriteLineAsync(Line("GET", $"/organizations/o-acme/devices/{index}", "organizations", 200, null, "Platform", "alice"));

        var allocated = GC.GetTotalMemory(forceFullCollection: true);
        var diff = await CommandResult.RunAsync(["diff", folder.Path, folder.Path, "--requests", log]);

        Assert.Equal($"\n{lines} requests: the same route, status and target for each\n", diff.Output);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - allocated, long.MinValue, 100_000_000);
    }

    private static string Line(string method, string path, string? route, int status, string? reason, string? scheme, string? subject) =>
        JsonSerializer.Serialize(new JsonObject
        {
            ["time"] = "2026-03-01T09:30:00.123Z",
            ["method"] = method,
            ["path"] = path,
            ["route"] = route,
            ["status"] = status,
            ["reason"] = reason,
            ["duration"] = 0.018342,
            ["bytes"] = 512,
            ["scheme"] = scheme,
            ["issuer"] = scheme == "Platform" ? "https://id.example.com" : null,
            ["subject"] = subject,
            ["organization"] = null,
            ["client"] = "10.0.0.7",
            ["requestId"] = "5b1c1c4e0f6a4a3f9a3d1e2b7c8d9e0f",
        });
}
