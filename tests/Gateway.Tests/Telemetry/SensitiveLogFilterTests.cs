using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A gateway that tells all that it can, at work and while everything fails: no secret is in its log, its spans or its metrics.</summary>
[Trait("Category", "Redis")]
public sealed class SensitiveLogFilterTests : IDisposable
{
    private readonly List<string> _secrets = [];
    private readonly CollectedSpans _spans = new();

    public void Dispose() => _spans.Dispose();

    [Fact]
    public async Task Whatever_the_level_and_whatever_fails_no_secret_is_told()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync(
            TellAll, services => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(_spans)));
        _secrets.AddRange([world.Aws.BaseCredentials.SecretAccessKey, gateway.Folder.Read("sealing-keys")]);

        await SendAllAsync(world, gateway);
        await SendMalformedAsync(gateway);
        await VendAsync(world, gateway, "o-good");
        foreach (var fault in (AwsFault[])
            [
                AwsFault.Truncated(), AwsFault.Garbage(), AwsFault.Abort(), AwsFault.WithoutCredentials(),
                AwsFault.Error("AccessDenied", 403), AwsFault.HttpStatus(500),
            ])
        {
            using (world.Aws.Inject(fault, "AssumeRole")) await VendAsync(world, gateway, $"o-fault{_secrets.Count}");
        }

        await world.Redis.KillAsync();
        await VendAsync(world, gateway, "o-alone");
        await world.Downstream.DisposeAsync();
        await SendAllAsync(world, gateway);
        _secrets.AddRange(world.Aws.Calls.Snapshot()
            .Where(call => call.Issued is not null)
            .SelectMany(call => (string[])[call.Issued!.SecretAccessKey, call.Issued.SessionToken!]));
        var metrics = (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;

        Assert.True(gateway.Log.Count(LogLevel.Trace, "") > 0 && gateway.Log.Count(LogLevel.Debug, "Microsoft.AspNetCore.Routing") > 0);
        Assert.NotEmpty(_spans.Told);
        foreach (var place in (string[])[gateway.Log.Text, string.Join('\n', _spans.Told), metrics])
        {
            foreach (var secret in _secrets)
            {
                foreach (var part in Parts(secret))
                    Assert.True(
                        !place.Contains(part, StringComparison.Ordinal),
                        $"{part} in:\n{place.Split('\n').FirstOrDefault(line => line.Contains(part, StringComparison.Ordinal))}");
            }
        }
    }

    [Fact]
    public async Task No_span_has_a_query_even_where_the_instrumentation_is_told_to_show_it()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis().Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }"""),
            services => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(_spans)));

        Assert.Equal(200, (await gateway.SendAsync($"/open/{new string('p', 2000)}?name=value")).Status);

        await _spans.WaitForAsync("url.full=");
        await _spans.WaitForAsync("url.path=");
        Assert.DoesNotContain(_spans.Told, told => told.Contains('?', StringComparison.Ordinal) || told.Contains("url.query", StringComparison.Ordinal));
        Assert.DoesNotContain(_spans.Told, static told => told.Contains(new string('p', 513), StringComparison.Ordinal));
    }

    private static void TellAll(JsonObject settings)
    {
        settings["Logging"] = JsonNode.Parse("""
            {
              "LogLevel": {
                "Default": "Trace", "Microsoft.AspNetCore.Hosting.Diagnostics": "Trace", "Yarp.ReverseProxy.Forwarder.HttpForwarder": "Trace",
                "Microsoft.AspNetCore.Server.Kestrel.BadRequests": "Trace", "System.Net.Http.HttpClient.Default.LogicalHandler": "Trace"
              },
              "Testing.LogLines": { "LogLevel": { "Default": "Trace", "Yarp": "Trace", "Microsoft.AspNetCore.Hosting.Diagnostics": "Trace" } }
            }
            """);
        settings
            .Set("AllowedHosts", "\"127.0.0.1\"")
            .Set("IotCredentials:Timeout", "\"00:00:10\"")
            .Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"], "Methods": ["GET"], "Headers": ["authorization"] }""")
            .Set(
                "RateLimiting:Policies:Few",
                """{ "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 3, "Window": "01:00:00", "Store": "Redis" }""")
            .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{FreePort.Find()}}/" } } }""")
            .Route("plain", "/plain/{**rest}", """{ "RateLimiterPolicy": "Few", "CorsPolicy": "Web", "Timeout": "00:00:02" }""")
            .Route("trusted", "/trusted/{**rest}", """{ "Metadata": { "ForwardAuthorization": "true", "ForwardCookies": "true" } }""")
            .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
            .Route("down", "/down/{**rest}", """{ "ClusterId": "down" }""");
    }

    private async Task SendAllAsync(World world, RunningGateway gateway)
    {
        string[] tokens =
        [
            world.Token("o-acme"), world.Issuer.Issue(new TokenRequest { Organizations = (string[])["o-acme"], Expires = TimeSpan.FromHours(-1) }),
            world.Issuer.Issue(new TokenRequest { Algorithm = "none" }), world.Issuer.Issue(new TokenRequest { Algorithm = "HS256" }),
            world.Issuer.Issue(new TokenRequest { Issuer = "https://evil.example" }), world.Issuer.Issue(new TokenRequest { Audiences = ["other"] }),
            world.Issuer.Issue(new TokenRequest { KeyId = "unknown" }), world.Issuer.Issue(new TokenRequest { Key = SigningKey.CreateRsa() }),
            world.Issuer.Issue(new TokenRequest { RawPayload = "{\"iss\":" }), Secret(), $"{Secret()}.{Secret()}.{Secret()}",
        ];
        _secrets.AddRange(tokens);
        string[] paths =
        [
            "/plain/1", "/plain/abort", "/plain/slow/60000", "/plain/status/500", "/trusted/1", "/open/1", "/down/1", "/nowhere", "/a//b", "/a%2fb",
            Requests.CredentialsPath("o-acme"), Requests.CredentialsPath("o-other"), Requests.CredentialsPath("bad"), "/organizations/o-acme/1",
        ];
        foreach (var path in paths) await SendAsync(gateway, path, $"Bearer {tokens[0]}", "POST");
        foreach (var token in tokens) await SendAsync(gateway, "/trusted/2", $"Bearer {token}", "GET");
        await SendAsync(gateway, "/trusted/3", $"Basic {Secret()}", "GET");
        await SendAsync(
            gateway, "/open/websocket", $"Bearer {tokens[0]}", "GET", ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="));
        await SendAsync(
            gateway, "/plain/cors", $"Bearer {tokens[0]}", "OPTIONS", ("Origin", "https://app.example.com"), ("Access-Control-Request-Method", "GET"));
        await SendAsync(gateway, "/plain/cors", $"Bearer {tokens[0]}", "GET", ("Origin", "https://evil.example"));
    }

    private async Task SendAsync(RunningGateway gateway, string path, string authorization, string method, params (string Name, string Value)[] more)
    {
        try
        {
            await gateway.SendAsync($"{path}?access_token={Secret()}&code={Secret()}", method: method, change: request =>
            {
                if (method == "POST") request.Content = new StringContent($"password={Secret()}");
                foreach (var (name, value) in ((string, string)[])
                    [("Authorization", authorization), ("Cookie", $"session={Secret()}"), ("X-Api-Key", Secret()), ("baggage", $"key={Secret()}"), .. more])
                    request.Headers.TryAddWithoutValidation(name, value);
            });
        }
        catch (HttpRequestException)
        {
            // Cut off on purpose.
        }
    }

    private async Task SendMalformedAsync(RunningGateway gateway)
    {
        var port = new Uri(gateway.Url).Port;
        foreach (var request in (string[])
        [
            $"GET /plain/1?{Secret()} extra HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /plain/1?{Secret()}\0 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /plain/1?{Secret()} HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
            $"GET /plain/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization Bearer {Secret()}\r\n\r\n",
            $"GET /plain/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Key: {Secret()}\0\r\n\r\n",
            $"GET /plain/1 HTTP/1.1\r\nHost: {Secret()}:x y\r\n\r\n",
            $"GET http://user:{Secret()}@127.0.0.1/plain/1?{Secret()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            $"POST /open/1?{Secret()} HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n{Secret()}\r\n",
            $"POST /open/1?{Secret()} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {Secret()}\r\n\r\n",
            $"POST /open/1?{Secret()} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{Secret()}",
            $"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{Secret()}{Secret()}{Secret()}",
        ])
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", port);
            await using var stream = client.GetStream();
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request));
            client.Client.Shutdown(SocketShutdown.Send);
            try
            {
                await new StreamReader(stream).ReadToEndAsync();
            }
            catch (IOException)
            {
                // Reset: as good as closed.
            }
        }
    }

    private async Task VendAsync(World world, RunningGateway gateway, string organization)
    {
        var token = world.Token(organization);
        _secrets.Add(token);
        await gateway.SendAsync(Requests.CredentialsPath(organization) + $"?key={Secret()}", token);
    }

    private string Secret()
    {
        var secret = $"hush{Guid.NewGuid():N}";
        _secrets.Add(secret);
        IssuedSecrets.Add(secret);
        return secret;
    }

    // Of a token, what only this one has: a head says the algorithm, and an empty signature nothing.
    private static IEnumerable<string> Parts(string secret) =>
        (secret.Contains('.', StringComparison.Ordinal) ? secret.Split('.')[1..] : [secret])
            .Where(part => part.Length > 8)
            .Select(part => part[..Math.Min(part.Length, 32)]);

    private sealed class CollectedSpans : BaseProcessor<Activity>
    {
        private readonly Lock _lock = new();
        private readonly List<string> _told = [];

        public IReadOnlyList<string> Told
        {
            get { lock (_lock) return [.. _told]; }
        }

        public Task WaitForAsync(string part) =>
            Eventually.IsTrueAsync(() => Told.Any(told => told.Contains(part, StringComparison.Ordinal)), () => string.Join('\n', Told));

        public override void OnEnd(Activity data)
        {
            var events = data.Events.SelectMany(happened => happened.Tags);
            lock (_lock)
                _told.AddRange([
                    data.DisplayName, $"{data.StatusDescription}", $"{data.TraceStateString}",
                    .. data.TagObjects.Concat(events).Select(tag => $"{tag.Key}={tag.Value}"), .. data.Baggage.Select(item => $"{item.Key}={item.Value}")]);
        }
    }
}
