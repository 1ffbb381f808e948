using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Gateway.Forwarding.Connections;
using Gateway.Networking;
using Gateway.Tests.Authentication;
using Gateway.Tests.Forwarding;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Tests.Logs;

/// <summary>
/// F1: a request proves each reason that docs/access-log.md lists, here or in <see cref="AccessLogTests"/>. The few that no request proves say why.
/// </summary>
public sealed class ReasonTests(ReasonTests.Refusing platform) : IClassFixture<ReasonTests.Refusing>
{
    private const string Page = "access-log.md";
    private const string Limit = "Once";

    // By the reason: the status, the path, and the request. Each path has one line.
    private static readonly Dictionary<string, (int Status, string Path, Func<Refusing, string, Task> SendAsync)> s_requests = new(StringComparer.Ordinal)
    {
        ["framing"] = (400, "/plain/framing", static (platform, path) => RawHttp.SendAsync(
            platform.Gateway.Url, path, "POST", platform.Authorization, "Content-Length: 5", "Transfer-Encoding: chunked")),
        ["bad_request"] = (400, "/plain/bad_request", static (platform, path) => RawHttp.SendAsync(
            platform.Gateway.Url, path, "GET", platform.Authorization, "Host: evil.example")),
        ["token_lifetime"] = (401, "/plain/token_lifetime", static (platform, path) => platform.SendAsync(path, new TokenRequest { Expires = null })),
        ["algorithm"] = (401, "/plain/algorithm", static (platform, path) => platform.SendAsync(path, new TokenRequest { Algorithm = "HS256" })),
        ["signing_key"] = (401, "/plain/signing_key", static (platform, path) => platform.SendAsync(
            path, new TokenRequest { Key = SigningKey.CreateRsa(), KeyId = "unknown" })),
        ["ambiguous"] = (401, "/plain/ambiguous", static (platform, path) => platform.SendAsync(
            path, platform.Token, change: ApiKeys.With(platform.Key))),
        ["api_key"] = (401, "/plain/api_key", static (platform, path) => platform.SendAsync(path, change: ApiKeys.With(ApiKeys.NewKey()))),
        ["api_key_expired"] = (401, "/plain/api_key_expired", static (platform, path) => platform.SendAsync(path, change: ApiKeys.With(platform.ExpiredKey))),
        ["introspection"] = (401, "/plain/introspection", static (platform, path) => platform.SendAsync(path, "a-token-that-nobody-issued")),
        ["scopes"] = (403, "/organizations/o-acme/operators/scopes", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["roles"] = (403, "/organizations/o-acme/operators/roles", static (platform, path) => platform.SendAsync(
            path, new TokenRequest { Organizations = (string[])["o-acme"], Scopes = ["iot.connect"] })),
        ["schemes"] = (403, "/keys-only/schemes", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["policy"] = (403, "/policy/1", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["client_address"] = (403, "/elsewhere/client_address", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["organization_unknown"] = (403, Requests.CredentialsPath("o-unknown"), static (platform, _) => platform.Gateway.VendAsync("o-unknown")),
        ["request_timeout"] = (408, "/plain/request_timeout", static (platform, path) => platform.SendRawAsync("POST", path, ["Content-Length: 10"])),
        ["body_too_large"] = (413, "/small/body_too_large", static (platform, path) => platform.SendAsync(
            path, platform.Token, "POST", static request => request.Content = new ByteArrayContent(new byte[5000]))),
        ["headers_too_large"] = (431, "/few/headers_too_large", static (platform, path) => platform.ExceedHeadersAsync(path)),
        ["locked_out"] = (429, "/plain/locked_out", static (platform, path) => platform.LockOutAsync(path)),
        [$"limit:{Limit}"] = (429, "/limited/1", static (platform, path) => platform.ExceedLimitAsync(path)),
        ["upgrades"] = (429, "/plain/upgrades", static (platform, path) => platform.ExceedUpgradesAsync(path)),
        ["in_flight"] = (429, "/plain/in_flight", static (platform, path) => platform.ExceedRequestsAsync(path)),
        ["client_left"] = (499, "/plain/client_left/slow/60000", static (platform, path) => platform.LeaveAsync(path)),
        ["upstream:request_timed_out"] = (504, "/impatient/slow/20000", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["upstream:request_creation"] = (502, "/request-fails/1", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["upstream:request_body_destination"] = (502, "/hangs-up/1", static (platform, path) => platform.SendRawAsync(
            "POST", path, ["Connection: close", $"Content-Length: {Refusing.LongBody.Length}"], Refusing.LongBody)),
        ["upstream:response_headers"] = (502, "/response-fails/1", static (platform, path) => platform.SendAsync(path, platform.Token)),
        ["upstream:response_body_destination"] = (200, "/cut/1", static (platform, path) => platform.SendRawAsync("GET", path, ["Connection: close"])),
        ["upstream:no_available_destinations"] = (503, "/sick/1", static (platform, path) => platform.FindNoDestinationAsync(path)),
        ["upstream:upgrade_response_destination"] = (101, "/resets/1", static (platform, path) => platform.SendRawAsync("GET", path, Refusing.Upgrade, "x")),
        ["issuer_unavailable"] = (503, "/plain/issuer_unavailable", static (platform, path) => platform.SendAsync(
            path, new TokenRequest { Issuer = platform.DownIssuer })),
        ["introspection_unavailable"] = (503, "/plain/introspection_unavailable", static (platform, path) => platform.SendAsync(path, Refusing.Unjudged)),
        ["timeout"] = (504, "/timed/organizations/o-hangs/credentials", static (platform, path) => platform.ExceedTimeoutAsync(path)),
        ["loop"] = (508, "/plain/loop", static (platform, path) => platform.LoopAsync(path)),
    };

    // The fault of AWS that leads to each reason.
    private static readonly Dictionary<string, AwsFault> s_vends = new(StringComparer.Ordinal)
    {
        ["vend:throttled"] = AwsFault.Throttling(),
        ["vend:refused"] = AwsFault.Error("AccessDenied", 403),
        ["vend:too_short"] = AwsFault.GrantOnly(TimeSpan.FromMinutes(1)),
        ["vend:unavailable"] = AwsFault.HttpStatus(500),
        ["vend:credentials"] = AwsFault.Error("InvalidClientTokenId", 403),
    };

    private static readonly Dictionary<string, string> s_unproved = new(StringComparer.Ordinal)
    {
        ["caller_claims"] = "every caller that the gateway accepts has an issuer, a subject and an expiration; HostSlipTests of the plugin sends the request",
        ["no_policy"] = "the configuration's rules refuse such a route; HostTests of the plugin sends the request",
        ["misdirected"] = "it needs TLS and several server names; ServerNameTests sends the requests",
        ["upstream:upgrade_request_destination"] = "the end of a connection is read from it before a write to it fails",
        ["vend:timeout"] = "each dependency has a shorter deadline, and all are by the real clock: only a machine of known speed would outlast them together",
        ["other"] = "no request is known whose error response has no other word",
    };

    public static readonly TheoryData<string> Words = [.. s_requests.Keys];

    public static readonly TheoryData<string> Vends = [.. s_vends.Keys];

    [Theory]
    [MemberData(nameof(Words))]
    public async Task F1_a_request_has_the_reason(string reason)
    {
        var (status, path, sendAsync) = s_requests[reason];

        await sendAsync(platform, path);

        var line = await AccessLines.OfPathAsync(platform.Gateway, path);
        Assert.Equal((status, reason), (line.GetProperty("status").GetInt32(), line.GetProperty("reason").GetString()));
        if (status >= 400) Assert.Contains($"{status}", Documented()[reason], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Vends))]
    public async Task F1_a_request_for_credentials_that_fails_has_the_reason(string reason)
    {
        var organization = $"o-{reason["vend:".Length..].Replace("_", "", StringComparison.Ordinal)}";
        using var fault = platform.World.Aws.Inject(s_vends[reason], "AssumeRole", call => call.AssumeRole?.RoleSessionName == organization);
        // A gateway of its own: after one refusal of its credentials it asks AWS for nothing more.
        var gateway = await platform.World.StartGatewayAsync(settings => settings.WithoutRedis());

        await gateway.VendAsync(organization);

        var line = await AccessLines.OfPathAsync(gateway, Requests.CredentialsPath(organization));
        Assert.Equal((503, reason), (line.GetProperty("status").GetInt32(), line.GetProperty("reason").GetString()));
    }

    [Fact]
    public void F1_every_documented_reason_is_proved_or_says_why_not()
    {
        string[] known =
        [
            .. s_requests.Keys, .. s_vends.Keys, .. AccessLogTests.Refusals.Select(static row => row.Data.Item5).Distinct(), .. s_unproved.Keys,
        ];

        Assert.Equal(Documented().Keys.Order(StringComparer.Ordinal), known.Order(StringComparer.Ordinal));
    }

    /// <summary>The documented reasons with their statuses. A placeholder such as <c>upstream:WORD</c> stands for the words of its meaning.</summary>
    private static Dictionary<string, string> Documented() => DocumentTable.Rows(Page, "### Reasons")
        .SelectMany(static row => DocumentTable.Code(row[0]).SelectMany(reason => Named(reason, row[2])).Select(reason => (Reason: reason, Status: row[1])))
        .ToDictionary(static row => row.Reason, static row => row.Status, StringComparer.Ordinal);

    private static IEnumerable<string> Named(string reason, string meaning) => reason.Split(':') switch
    {
        [var kind, "NAME"] => [$"{kind}:{Limit}"],
        [var kind, "WORD"] => DocumentTable.Code(meaning).Select(word => $"{kind}:{word}"),
        _ => [reason],
    };

    public sealed class Refusing : PlatformFixture
    {
        public const int FailedAuthentications = 20;

        /// <summary>A token that the introspection endpoint cannot judge.</summary>
        public const string Unjudged = "a-token-that-breaks-introspection";

        /// <summary>More than the buffers between client and service hold.</summary>
        public static readonly string LongBody = new('x', 16_000_000);

        /// <summary>The headers that ask for a WebSocket.</summary>
        public static readonly string[] Upgrade =
            ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];

        private static int s_junk;

        private readonly ScriptedService _hangsUp = new();
        private readonly ScriptedService _cut = new("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n8 bytes!");
        private readonly StubTcpServer _resets = new(ResetAsync);
        private GrpcService? _few;

        public string Key { get; } = ApiKeys.NewKey();

        public string ExpiredKey { get; } = ApiKeys.NewKey();

        public string DownIssuer { get; } = $"http://127.0.0.1:{FreePort.Find()}";

        public string Token => World.Token("o-acme");

        public string Authorization => $"Authorization: Bearer {Token}";

        public Task SendAsync(string path, TokenRequest token) => SendAsync(path, World.Issuer.Issue(token));

        /// <summary>Sends a request, and reads until the gateway closes the connection.</summary>
        public Task SendRawAsync(string method, string path, string[] headers, string body = "") => RawHttp.ExchangeAsync(
            Gateway.Url, $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{Authorization}\r\n{string.Join("\r\n", headers)}\r\n\r\n{body}");

        /// <summary>Sends a token that no scheme takes and no request has sent before, from an address that no other request comes from.</summary>
        public Task SendJunkAsync(string path) => RawHttp.ExchangeAsync(
            Gateway.Url,
            $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x.{Interlocked.Increment(ref s_junk)}.z\r\nConnection: close\r\n\r\n",
            from: "127.0.0.2");

        public async Task LockOutAsync(string path)
        {
            for (var i = 0; i < FailedAuthentications; i++) await SendJunkAsync($"{path}/{i}");
            await SendJunkAsync(path);
        }

        public async Task ExceedLimitAsync(string path)
        {
            await SendAsync("/limited/first", Token);
            await SendAsync(path, Token);
        }

        public async Task ExceedHeadersAsync(string path)
        {
            // A service says what it takes once it is connected.
            await SendAsync($"{path}/first", Token);
            await SendAsync(path, Token, change: static request => request.Headers.Add("X-Large", new string('x', 20_000)));
        }

        public async Task ExceedUpgradesAsync(string path)
        {
            // A caller of its own: other requests of this class are upgraded as well.
            var token = World.Issuer.Issue(new TokenRequest { Subject = "upgrading", Organizations = (string[])["o-acme"] });
            using var held = new ClientWebSocket();
            held.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            await held.ConnectAsync(new Uri($"{Gateway.Url.Replace("http", "ws", StringComparison.Ordinal)}{path}/socket"), CancellationToken.None);
            await RawHttp.SendAsync(Gateway.Url, path, "GET", [$"Authorization: Bearer {token}", .. Upgrade]);
        }

        public async Task ExceedRequestsAsync(string path)
        {
            using var end = new CancellationTokenSource();
            var held = Enumerable.Range(0, 40).Select(i => HoldAsync($"{path}/{i}/slow/60000", end.Token)).ToList();
            await await Task.WhenAny(held);
            // A request that is being refused is counted until it is.
            var inFlight = Gateway.Services.GetRequiredService<RequestsInFlight>();
            await Eventually.IsTrueAsync(() => inFlight.Count == held.Count(static each => !each.IsCompleted));
            await SendAsync(path, Token);
            await end.CancelAsync();
            await Record.ExceptionAsync(() => Task.WhenAll(held));
        }

        private async Task HoldAsync(string path, CancellationToken end)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Gateway.Url + path);
            request.Headers.Authorization = new("Bearer", Token);
            using var response = await World.Client.SendAsync(request, end);
        }

        public async Task LeaveAsync(string path)
        {
            using var leaving = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Get, Gateway.Url + path);
            request.Headers.Authorization = new("Bearer", Token);
            var sending = World.Client.SendAsync(request, leaving.Token);
            await World.Downstream.Requests.WaitForAsync(received => received.Target == path);
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        }

        public async Task FindNoDestinationAsync(string path)
        {
            var sent = 0;
            await Eventually.IsTrueAsync(async () => (await SendAsync($"/sick/before/{sent++}", Token)).Status == 503);
            await SendAsync(path, Token);
        }

        public async Task ExceedTimeoutAsync(string path)
        {
            using var hang = World.Aws.Inject(AwsFault.Hang(), "AssumeRole", static call => call.AssumeRole?.RoleSessionName == "o-hangs");
            await SendAsync(path, World.Token("o-hangs"));
        }

        public async Task LoopAsync(string path)
        {
            await SendAsync($"{path}/first", Token);
            var via = Assert.Single(Received($"{path}/first")).Headers["Via"];
            await SendAsync(path, Token, change: request => request.Headers.TryAddWithoutValidation("Via", via));
        }

        protected override async ValueTask PrepareAsync()
        {
            _few = await GrpcService.StartAsync(maxHeaders: 8192);
            World.Downstream.Directory.Move("o-hangs", "111122223333", "ap-northeast-1");
            World.Issuer.AnswerIntrospection = static (context, token, _) =>
            {
                if (token != Unjudged) return Task.FromResult(false);
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return Task.FromResult(true);
            };
        }

        protected override void Change(JsonObject settings)
        {
            settings.Set("AllowedHosts", "\"127.0.0.1\"")
                .Set("Kestrel:Limits:MinRequestBodyDataRate", """{ "BytesPerSecond": 240, "GracePeriod": "00:00:02" }""")
                .Set("Edge:UpgradesPerCaller", "1")
                .Set("Edge:FailedAuthentications", $$"""{ "PermitLimit": {{FailedAuthentications}}, "Window": "01:00:00" }""")
                .Set("Authentication:Schemes:Down", settings["Authentication"]!["Schemes"]!["Platform"]!.ToJsonString())
                .Set("Authentication:Schemes:Down:Authority", $"\"{DownIssuer}\"")
                .AddIntrospection(World.Issuer, new SecretFile(), """{ "Accepts": ["Bearer"] }""")
                .AddKey("ci-robot", Key)
                .AddKey("expired", ExpiredKey, """{ "Expires": "2020-01-01T00:00:00Z" }""")
                .Set("Authorization:Policies:KeysOnly", """{ "Schemes": ["ApiKeys"] }""")
                .Set(
                    $"RateLimiting:Policies:{Limit}", """{ "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 1, "Window": "01:00:00" }""")
                .Set("IotCredentials:Directory", $$"""
                    { "Address": "{{World.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["111122223333"] }
                    """)
                .Set("ReverseProxy:Routes:timed", """
                    {
                      "Match": { "Path": "/timed/organizations/{organizationId}/credentials" }, "AuthorizationPolicy": "OrganizationMember",
                      "Timeout": "00:00:00.2", "Metadata": { "Module": "IotCredentials" }
                    }
                    """)
                .Route("policy", "/policy/{**rest}")
                .Route("keys-only", "/keys-only/{**rest}", """{ "AuthorizationPolicy": "KeysOnly" }""")
                .Route("elsewhere", "/elsewhere/{**rest}", """{ "Metadata": { "IpAllow": "10.0.0.0/8" } }""")
                .Route("small", "/small/{**rest}", """{ "MaxRequestBodySize": 1000 }""")
                .Route("limited", "/limited/{**rest}", $$"""{ "RateLimiterPolicy": "{{Limit}}" }""")
                .Route(FailingTransforms.OfRequest, "/request-fails/{**rest}")
                .Route(FailingTransforms.OfResponse, "/response-fails/{**rest}");
            AddCluster(settings, "impatient", World.Downstream.Url, """{ "HttpRequest": { "ActivityTimeout": "00:00:00.2" } }""");
            AddCluster(settings, "few", _few!.Url, """{ "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" } }""");
            AddCluster(settings, "hangs-up", _hangsUp.Url);
            AddCluster(settings, "cut", _cut.Url);
            AddCluster(settings, "resets", $"http://127.0.0.1:{_resets.Port}/");
            AddCluster(settings, "sick", $"http://127.0.0.1:{FreePort.Find()}/", """
                { "HealthCheck": { "AvailableDestinationsPolicy": "HealthyAndUnknown", "Passive": { "Enabled": true, "ReactivationPeriod": "01:00:00" } } }
                """);
        }

        // With so few, 80 requests may be in flight, and 24 of one caller alone.
        protected override void Replace(IServiceCollection services) =>
            services.AddSingleton(new FileDescriptors(480))
                .AddSingleton<IAuthorizationHandler, FailingHandler>().AddSingleton<ITransformProvider, FailingTransforms>();

        private static void AddCluster(JsonObject settings, string name, string address, string more = "{}")
        {
            var cluster = JsonNode.Parse(more)!.AsObject();
            cluster["Destinations"] = JsonNode.Parse($$"""{ "a": { "Address": "{{address}}" } }""");
            settings.Set($"ReverseProxy:Clusters:{name}", cluster.ToJsonString()).Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}" }""");
        }

        /// <summary>Accepts an upgrade, and resets the connection after the client's first data, as when a process is killed.</summary>
        private static async Task ResetAsync(Stream stream, CancellationToken ended)
        {
            var received = new byte[16 * 1024];
            _ = await stream.ReadAsync(received, ended);
            await stream.WriteAsync("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"u8.ToArray(), ended);
            _ = await stream.ReadAsync(received, ended);
            var connection = ((NetworkStream)stream).Socket;
            connection.LingerState = new LingerOption(enable: true, seconds: 0);
            connection.Dispose();
        }
    }

    /// <summary>Denies a request for no requirement of its policy, as a handler that a host adds may.</summary>
    private sealed class FailingHandler : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context)
        {
            if (context.Resource is HttpContext http && http.Request.Path.StartsWithSegments("/policy")) context.Fail();
            return Task.CompletedTask;
        }
    }

    /// <summary>Transforms that throw, as a host's may.</summary>
    private sealed class FailingTransforms : ITransformProvider
    {
        public const string OfRequest = "request-fails";
        public const string OfResponse = "response-fails";

        public void ValidateRoute(TransformRouteValidationContext context) { }

        public void ValidateCluster(TransformClusterValidationContext context) { }

        public void Apply(TransformBuilderContext context)
        {
            if (context.Route.RouteId == OfRequest) context.AddRequestTransform(static _ => throw new InvalidOperationException("deliberate"));
            if (context.Route.RouteId == OfResponse) context.AddResponseTransform(static _ => throw new InvalidOperationException("deliberate"));
        }
    }
}
