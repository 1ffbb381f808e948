using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>S9: upgraded connections over HTTP/1.1 and HTTP/2 are counted together, and bounded in all and by caller.</summary>
public sealed class UpgradeLimitTests(UpgradeLimitTests.Bounded platform) : IClassFixture<UpgradeLimitTests.Bounded>
{
    private static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task S9_both_kinds_are_bounded_together_and_by_caller()
    {
        using var one = await ConnectAsync("alice", 1);
        using var two = await ConnectAsync("alice", 2);
        await CountedAsync(2);

        // Of the caller.
        Assert.Equal(429, await RefusedAsync("alice", 1));
        Assert.Equal(429, await RefusedAsync("alice", 2));
        using var three = await ConnectAsync("bob", 2);
        await CountedAsync(3);

        // Of all.
        Assert.Equal(503, await RefusedAsync("carol", 1));
        Assert.Equal(503, await RefusedAsync("carol", 2));
        Assert.Equal(503, await RefusedAsync("bob", 1));
        Assert.Equal(503, await RefusedAsync(null, 1));

        // Requests that stay requests are served: those with an offer that no service takes, and those of proxies that write `Connection` always.
        Assert.Equal(200, (await platform.SendAsync("/plain/x", Of("carol"))).Status);
        foreach (var headers in (string[][])
            [
                ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"],
                ["Connection: upgrade"], ["Connection: upgrade", "Upgrade: TLS/1.2"], ["Connection: upgrade", "Upgrade: TLS/1.3, h2c"],
            ])
            Assert.Equal(
                200, (await RawHttp.SendAsync(platform.Http1, "/plain/x", "GET", [$"Authorization: Bearer {Of("carol")}", .. headers])).Status);
        var refusal = await RawHttp.SendAsync(platform.Http1, "/plain/socket", "GET",
            $"Authorization: Bearer {Of("carol")}", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==");
        ErrorResponseAssert.BodyMatches("ServiceUnavailable", refusal.Body);
        Assert.Matches("^[123]$", refusal.Headers["Retry-After"].Single());

        await two.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience);
        await CountedAsync(2);
        using var four = await ConnectAsync("carol", 1);
        Assert.Matches(
            "gateway_upgrades_refused_total\\{[^}]*bound=\"caller\"[^}]*\\} 2",
            (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/metrics")).Body);

        foreach (var socket in (ClientWebSocket[])[one, three, four]) socket.Abort();
        await CountedAsync(0);
        // What a service refuses holds no place either.
        for (var i = 0; i < 5; i++) Assert.Equal(404, await RefusedAsync("alice", 1, "/plain/status/404"));
        await CountedAsync(0);
    }

    private async Task CountedAsync(int count)
    {
        var metrics = "";
        await Eventually.IsTrueAsync(
            async () =>
            {
                metrics = (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/metrics")).Body;
                return Regex.IsMatch(metrics, $@"^gateway_upgrades_active(\{{[^}}]*\}})? {count}( |$)", RegexOptions.Multiline);
            },
            () => $"not {count}:\n{metrics}\n{platform.Gateway.Log.Text}");
    }

    private string Of(string subject) => platform.World.Issuer.Issue(new TokenRequest { Subject = subject });

    private async Task<int> RefusedAsync(string? subject, int version, string? path = null)
    {
        using var socket = new ClientWebSocket();
        var failure = await Assert.ThrowsAsync<WebSocketException>(
            () => ConnectAsync(socket, subject, version, path ?? (subject is null ? "/open/socket" : "/plain/socket")));
        return int.Parse(Regex.Match(failure.Message, @"'(?<status>\d{3})'").Groups["status"].Value, System.Globalization.CultureInfo.InvariantCulture);
    }

    private async Task<ClientWebSocket> ConnectAsync(string subject, int version)
    {
        var socket = new ClientWebSocket();
        await ConnectAsync(socket, subject, version, "/plain/socket");
        return socket;
    }

    private async Task ConnectAsync(ClientWebSocket socket, string? subject, int version, string path)
    {
        if (subject is not null) socket.Options.SetRequestHeader("Authorization", $"Bearer {Of(subject)}");
        var url = version == 1 ? platform.Http1 : platform.Http2;
        socket.Options.HttpVersion = version == 1 ? HttpVersion.Version11 : HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await socket.ConnectAsync(
            new Uri(url.Replace("http", "ws", StringComparison.Ordinal) + path), new HttpMessageInvoker(new SocketsHttpHandler()), Patience);
    }

    public sealed class Bounded : BothProtocols
    {
        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            settings.Set("Kestrel:Limits:MaxConcurrentUpgradedConnections", "3").Set("Edge:UpgradesPerCaller", "2");
        }
    }
}
