using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Logs;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>One line a request, whether the gateway or a service responded; nothing of a query, a header or a body.</summary>
public sealed class AccessLogTests(AccessLogTests.Logged platform) : IClassFixture<AccessLogTests.Logged>
{
    private static readonly string[] s_members =
    [
        "time", "method", "path", "route", "status", "reason", "duration", "bytes", "scheme", "issuer", "subject", "organization", "upstream", "client",
        "requestId", "traceId",
    ];

    private static readonly string[] s_acme = ["o-acme"];
    private static readonly string s_page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "access-log.md"));
    private static readonly AccessEntry s_kilobyte = new()
    {
        Time = DateTimeOffset.UnixEpoch,
        Method = "GET",
        Path = new string('x', 512).AsMemory(),
        Route = null,
        Status = 200,
        Reason = null,
        Duration = TimeSpan.Zero,
        Bytes = 0,
        Scheme = null,
        Issuer = null,
        Subject = null,
        Organization = null,
        Upstream = null,
        Client = null,
        RequestId = "",
        TraceId = null,
    };

    private string Token => platform.World.Token("o-acme");

    [Fact]
    public async Task A_forwarded_request_is_told_with_caller_organization_and_service()
    {
        var before = DateTimeOffset.UtcNow.AddMilliseconds(-1);

        var answer = await platform.SendAsync(
            "/organizations/o-acme/told?page=2", platform.World.Issuer.Issue(new TokenRequest { Subject = "alice", Organizations = (string[])["o-acme"] }));
        var line = await platform.LineAsync("/organizations/o-acme/told");

        Assert.Equal(s_members, line.EnumerateObject().Select(member => member.Name));
        Assert.Matches("^[0-9-]{10}T[0-9:]{8}[.][0-9]{3}Z$", line.GetProperty("time").GetString());
        Assert.InRange(line.GetProperty("time").GetDateTimeOffset(), before, DateTimeOffset.UtcNow);
        Assert.InRange(line.GetProperty("duration").GetDouble(), 0.000001, 60);
        Is(line, "method", "GET");
        Is(line, "route", "organizations");
        Assert.Equal(200, line.GetProperty("status").GetInt32());
        Assert.True(answer.Headers.TransferEncodingChunked);
        Assert.Equal(Encoding.UTF8.GetByteCount(answer.Body), line.GetProperty("bytes").GetInt64());
        Is(line, "issuer", platform.World.Issuer.Issuer);
        Is(line, "subject", "alice");
        Is(line, "organization", "o-acme");
        Is(line, "upstream", platform.World.Downstream.Url + "/");
        Is(line, "client", "127.0.0.1");
        var received = Assert.Single(platform.Received("/organizations/o-acme/told")).Headers;
        Is(line, "requestId", received["X-Request-Id"][0]);
        Is(line, "requestId", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
        Is(line, "traceId", received["traceparent"][0].Split('-')[1]);
    }

    [Fact]
    public async Task S2_a_method_of_any_length_makes_no_long_line()
    {
        await RawHttp.SendAsync(platform.Gateway.Url, "/long-method", new string('\'', 5000), $"Authorization: Bearer {Token}");

        Is(await platform.LineAsync("/long-method"), "method", new string('\'', 32));
    }

    [Fact]
    public async Task A_vend_is_told_with_its_length_and_no_service()
    {
        var answer = await platform.Gateway.VendAsync("o-vends");
        var line = await platform.LineAsync(Requests.CredentialsPath("o-vends"));

        Assert.Equal(200, line.GetProperty("status").GetInt32());
        Is(line, "route", "iot-endpoint-and-credentials");
        Is(line, "organization", "o-vends");
        Is(line, "upstream", null);
        Assert.Equal(answer.Body.Length, answer.ContentHeaders.ContentLength);
        Assert.Equal(answer.Body.Length, line.GetProperty("bytes").GetInt64());
    }

    [Theory]
    [InlineData("/plain/refused//1", 400, null)]
    [InlineData("/nowhere/1", 404, null)]
    [InlineData("/plain/status/204", 204, "plain")]
    [InlineData("/plain/status/503", 503, "plain")]
    [InlineData("/down/1", 502, "down")]
    [InlineData("/throws/1", 500, "throws")]
    [InlineData("/organizations/o-globex/1", 403, "organizations")]
    [InlineData("/organizations/acme/1", 422, "organizations")]
    [InlineData("/scripted/length", 200, "scripted")]
    public async Task What_was_answered_is_told(string path, int status, string? route)
    {
        var answer = await RawHttp.SendAsync(platform.Gateway.Url, path, "GET", $"Authorization: Bearer {Token}");
        var line = await platform.LineAsync(path);

        Assert.Equal((status, status), (answer.Status, line.GetProperty("status").GetInt32()));
        Is(line, "route", route);
        Assert.Equal(answer.Body.Length, line.GetProperty("bytes").GetInt64());
        Is(line, "organization", path.Contains("o-globex", StringComparison.Ordinal) ? "o-globex" : null);
    }

    [Fact]
    public async Task Without_a_token_there_is_no_caller()
    {
        await platform.SendAsync("/plain/stranger");
        var line = await platform.LineAsync("/plain/stranger");

        Assert.Equal(401, line.GetProperty("status").GetInt32());
        Is(line, "subject", null);
        Is(line, "issuer", null);
        Is(line, "upstream", null);
    }

    // What a caller sends, and why it is refused.
    public static TheoryData<string, string, string?, int, string> Refusals => new()
    {
        { "GET", "/plain/a%2Fb/reason", null, 400, "encoded_slash" },
        { "GET", "/plain/a%5cb/reason", null, 400, "encoded_slash" },
        { "GET", "/plain/../reason", null, 400, "path" },
        { "BREW", "/plain/method/reason", null, 405, "method" },
        { "GET", "/nowhere/reason", "member", 404, "no_route" },
        { "GET", "/plain/none/reason", null, 401, "no_token" },
        { "GET", "/plain/expired/reason", "expired", 401, "token_expired" },
        { "GET", "/plain/early/reason", "early", 401, "token_not_yet_valid" },
        { "GET", "/plain/audience/reason", "audience", 401, "audience" },
        { "GET", "/plain/issuer/reason", "issuer", 401, "issuer" },
        { "GET", "/plain/signature/reason", "signature", 401, "signature" },
        { "GET", "/plain/unreadable/reason", "unreadable", 401, "token_unreadable" },
        { "GET", "/plain/id/reason", "id", 401, "token_claims" },
        { "GET", "/plain//reason?next=%2f", null, 400, "path" },
        { "GET", "/organizations/-bad-/reason", "member", 422, "organization_id" },
        { "GET", "/organizations/o-globex/reason", "member", 403, "organization" },
        { "POST", Requests.CredentialsPath("o-acme"), "member", 405, "method" },
        { "GET", Requests.CredentialsPath("-bad-"), "member", 422, "organization_id" },
        { "GET", Requests.CredentialsPath("o-acme") + "?minimumLifetime=0x1", "member", 422, "minimum_lifetime" },
        { "GET", "/down/reason", "member", 502, "upstream:request" },
        { "GET", "/throws/reason", "member", 500, "internal" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task F1_a_refused_request_says_why(string method, string path, string? token, int status, string reason)
    {
        var before = Lines().Count;
        string[] headers = token is null ? [] : [$"Authorization: Bearer {TokenOf(token)}"];
        // Twice: a repeated token is not checked again, and has the same reason.
        for (var i = 0; i < 2; i++) await RawHttp.SendAsync(platform.Gateway.Url, path, method, headers);
        await Eventually.IsTrueAsync(() => Lines().Count >= before + 2);

        var lines = Lines();
        Assert.All(lines.TakeLast(2), line => Assert.Equal((status, reason), (line.GetProperty("status").GetInt32(), line.GetProperty("reason").GetString())));
        // The exporter keeps a scrape for a moment.
        await Eventually.IsTrueAsync(async () => (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/metrics")).Body
            .Contains($"reason=\"{reason}\"", StringComparison.Ordinal));
        Assert.Contains($"`{reason}`".Replace("upstream:request", "request", StringComparison.Ordinal), s_page, StringComparison.Ordinal);

        List<JsonElement> Lines() => [.. platform.Access.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("path").GetString() == path.Split('?')[0] && line.GetProperty("method").GetString() == method)];
    }

    [Fact]
    public async Task A_request_that_is_served_and_a_services_own_error_have_no_reason()
    {
        await platform.SendAsync("/plain/status/404/reason", Token);
        await platform.SendAsync("/plain/fine/reason", Token);

        foreach (var path in (string[])["/plain/status/404/reason", "/plain/fine/reason"])
            Is(await platform.LineAsync(path), "reason", null);
    }

    [Fact]
    public async Task Methods_hosts_and_limits_that_are_refused_are_told()
    {
        await RawHttp.SendAsync(platform.Gateway.Url, "/plain/method", "BREW");
        await RawHttp.SendAsync(platform.Gateway.Url, "/plain/host", "GET", "Host: evil.example");
        await platform.SendAsync("/once/1", Token);
        await platform.SendAsync("/once/2", Token);

        Assert.Equal(405, (await platform.LineAsync("/plain/method")).GetProperty("status").GetInt32());
        Assert.Equal(400, (await platform.LineAsync("/plain/host")).GetProperty("status").GetInt32());
        Assert.Equal(429, (await platform.LineAsync("/once/2")).GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task A_HEAD_has_no_bytes()
    {
        await platform.SendAsync("/plain/head", Token, "HEAD");
        await platform.SendAsync("/plain/nobody", null, "HEAD");

        Assert.Equal(0, (await platform.LineAsync("/plain/head")).GetProperty("bytes").GetInt64());
        Assert.Equal(0, (await platform.LineAsync("/plain/nobody")).GetProperty("bytes").GetInt64());
    }

    [Fact]
    public async Task A_client_that_leaves_before_the_answer_is_499()
    {
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Gateway.Url + "/plain/left/slow/60000")
        {
            Headers = { { "Authorization", $"Bearer {Token}" } },
        };
        var sending = platform.World.Client.SendAsync(request, leaving.Token);
        await platform.World.Downstream.Requests.WaitForAsync(
            received => received.Target == "/plain/left/slow/60000", cancellationToken: TestContext.Current.CancellationToken);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        var line = await platform.LineAsync("/plain/left/slow/60000");

        Assert.Equal(499, line.GetProperty("status").GetInt32());
        Assert.Equal(0, line.GetProperty("bytes").GetInt64());
        Is(line, "subject", "alice");
    }

    [Fact]
    public async Task An_answer_that_is_cut_short_has_the_status_that_was_sent_and_no_length()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => platform.SendAsync("/scripted/cut", Token));
        var line = await platform.LineAsync("/scripted/cut");

        Assert.Equal(200, line.GetProperty("status").GetInt32());
        Assert.Equal(JsonValueKind.Null, line.GetProperty("bytes").ValueKind);
    }

    [Fact]
    public async Task A_subject_of_any_characters_stays_on_one_line()
    {
        const string Subject = "a\"b\\\r\nInformation Gateway.Access: {\"status\":200}\u0000\u001b[31m\u0085\u2028</script>é";

        await platform.SendAsync("/plain/strange", platform.World.Issuer.Issue(new TokenRequest { Subject = Subject }));
        var line = await platform.LineAsync("/plain/strange");

        Is(line, "subject", Subject);
        Assert.DoesNotContain(line.GetRawText(), character => character is < ' ' or > '~');
    }

    [Fact]
    public async Task Nothing_of_a_query_a_fragment_a_header_or_a_token_is_told_and_a_path_has_an_end()
    {
        var token = Token;
        var longPath = "/plain/long/" + new string('x', 1000);
        var url = new Uri(platform.Gateway.Url);
        await platform.SendAsync("/plain/secrets?token=hush-query", token, change: request => request.Headers.Add("X-Key", "hush-header"));
        await RawHttp.SendAsync(platform.Gateway.Url, "/plain/fragment#hush-fragment", "GET", $"Authorization: Bearer {token}");
        await RawHttp.SendAsync(
            platform.Gateway.Url, $"http://user:hush-user@{url.Authority}/plain/absolute?hush-absolute", "GET", $"Authorization: Bearer {token}");
        await platform.SendAsync(longPath + "?hush-long", token);

        await platform.LineAsync("/plain/secrets");
        await platform.LineAsync("/plain/fragment");
        await platform.LineAsync(longPath[..512]);
        Assert.DoesNotContain("hush", platform.Access, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Split('.')[2], platform.Access, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_blocks_blocks_no_request_and_what_is_too_much_is_dropped_and_counted()
    {
        using var release = new ManualResetEventSlim();
        var written = new MemoryStream();
        var gateway = await platform.World.StartGatewayAsync(
            settings => settings.WithoutRedis().Route("plain", "/plain/{**rest}"),
            services => services.AddSingleton(new StandardOutput(lines =>
            {
                release.Wait();
                lock (written) written.Write(lines);
            })));

        for (var i = 0; i < 20; i++) Assert.Equal(200, (await gateway.SendAsync($"/plain/{i}", Token)).Status);
        Assert.Equal(0, written.Length);
        var log = gateway.Services.GetRequiredService<LogOutputs>().Access!;
        // Twice the room.
        for (var i = 0; i < 8_000; i++) log.TryAdd(s_kilobyte);
        Assert.Equal(200, (await gateway.SendAsync("/plain/more", Token)).Status);
        var metrics = (await platform.World.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;
        release.Set();

        Assert.Matches(@"gateway_access_log_dropped_total\{.*\} [1-9]", metrics);
        await Eventually.IsTrueAsync(() => Text().Count(static line => line.StartsWith('{')) >= 20);
        Assert.Equal(
            Enumerable.Range(0, 20).Select(i => $"/plain/{i}"),
            Text().Where(static line => line.StartsWith('{')).Take(20).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("path").GetString()));

        string[] Text()
        {
            lock (written) return Encoding.UTF8.GetString(written.ToArray()).Split('\n');
        }
    }

    [Fact]
    public async Task A_log_that_is_off_has_no_line()
    {
        var gateway = await platform.World.StartGatewayAsync(
            settings => settings.WithoutRedis().Route("plain", "/plain/{**rest}").Set("AccessLog:Enabled", "false"));

        Assert.Equal(200, (await gateway.SendAsync("/plain/1", Token)).Status);

        Assert.Null(gateway.Services.GetRequiredService<LogOutputs>().Access);
    }

    [Fact]
    public async Task What_is_queued_when_the_gateway_stops_is_still_told()
    {
        var gateway = await platform.World.StartGatewayProcessAsync(
            settings => settings.WithoutRedis().Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }"""));
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => platform.World.Client.SendAsync($"{gateway.Url}/open/{i}")));

        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        for (var i = 0; i < 50; i++) Assert.Contains($"\"path\":\"/open/{i}\"", gateway.Output, StringComparison.Ordinal);
    }

    private string TokenOf(string kind)
    {
        var issuer = platform.World.Issuer;
        return kind switch
        {
            "expired" => issuer.Issue(new TokenRequest { Organizations = s_acme, NotBefore = TimeSpan.FromHours(-2), Expires = TimeSpan.FromHours(-1) }),
            "early" => issuer.Issue(new TokenRequest { Organizations = s_acme, NotBefore = TimeSpan.FromMinutes(20) }),
            "audience" => issuer.Issue(new TokenRequest { Organizations = s_acme, Audiences = ["another"] }),
            "issuer" => issuer.Issue(new TokenRequest { Organizations = s_acme, Issuer = "https://another.example" }),
            "signature" => Token[..^8] + "AAAAAAAA",
            "unreadable" => "no.json.token",
            "id" => issuer.Issue(new TokenRequest { Organizations = s_acme, Type = "logout+jwt" }),
            _ => Token,
        };
    }

    private static void Is(JsonElement line, string member, string? value) => Assert.Equal(value, line.GetProperty(member).GetString());

    public sealed class Logged : PlatformFixture
    {
        private readonly TcpListener _scripted = new(IPAddress.Loopback, 0);

        /// <summary>All of the access log.</summary>
        public string Access => string.Join('\n', AccessLines.Of(Gateway));

        /// <summary>The one line of a path.</summary>
        public Task<JsonElement> LineAsync(string path) => AccessLines.OfPathAsync(Gateway, path);

        protected override ValueTask PrepareAsync()
        {
            _scripted.Start();
            _ = AnswerAsync();
            return default;
        }

        protected override void Change(JsonObject settings) => settings
            .Set("AllowedHosts", "\"127.0.0.1\"")
            .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 1, "Window": "01:00:00" }""")
            .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{FreePort.Find()}}/" } } }""")
            .Set("ReverseProxy:Clusters:scripted", $$"""{ "Destinations": { "a": { "Address": "http://{{_scripted.LocalEndpoint}}" } } }""")
            .Route("once", "/once/{**rest}", """{ "RateLimiterPolicy": "Once" }""")
            .Route("down", "/down/{**rest}", """{ "ClusterId": "down" }""")
            .Route("scripted", "/scripted/{**rest}", """{ "ClusterId": "scripted" }""")
            .Route("throws", "/throws/{**rest}");

        protected override void Replace(IServiceCollection services) => services.AddSingleton<IAuthorizationHandler, ThrowingHandler>();

        private async Task AnswerAsync()
        {
            while (true)
            {
                using var client = await _scripted.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                using var request = new StreamReader(stream);
                var isCut = (await request.ReadLineAsync())!.Contains("/cut", StringComparison.Ordinal);
                while (await request.ReadLineAsync() is { Length: > 0 }) { }
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {(isCut ? 1000 : 8)}\r\n\r\n8 bytes!"));
            }
        }
    }
}
