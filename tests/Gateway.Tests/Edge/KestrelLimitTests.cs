using Gateway.Networking;
using Gateway.Tests.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>A client can take as much of the gateway as <c>Kestrel:Limits</c> allows.</summary>
public sealed class KestrelLimitTests
{
    [Fact]
    public void What_ships_bounds_every_kind_of_waste()
    {
        using var configuration = new ConfigurationFixture();
        configuration.Set("Kestrel", ShippedSettings.Read()["Kestrel"]!.ToJsonString());

        var limits = Bind(configuration);

        Assert.Equal(8192, limits.MaxRequestLineSize);
        Assert.Equal(32768, limits.MaxRequestHeadersTotalSize);
        Assert.Equal(100, limits.MaxRequestHeaderCount);
        Assert.Equal(30_000_000, limits.MaxRequestBodySize);
        Assert.Equal(TimeSpan.FromSeconds(10), limits.RequestHeadersTimeout);
        Assert.Equal(TimeSpan.FromSeconds(130), limits.KeepAliveTimeout);
        Assert.Equal((240, TimeSpan.FromSeconds(5)), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod));
        Assert.Equal((240, TimeSpan.FromSeconds(5)), (limits.MinResponseDataRate!.BytesPerSecond, limits.MinResponseDataRate.GracePeriod));
        Assert.Equal(10_000, limits.MaxConcurrentConnections);
        Assert.Equal(5_000, limits.MaxConcurrentUpgradedConnections);
        Assert.Equal(100, limits.Http2.MaxStreamsPerConnection);
        Assert.Equal(TimeSpan.FromMinutes(1), limits.Http2.KeepAlivePingDelay);
    }

    [Fact]
    public void What_is_written_takes_the_place_of_Kestrels_own()
    {
        using var configuration = new ConfigurationFixture();
        configuration.Set("Kestrel:Limits", """
            { "MaxRequestBodySize": null, "MinResponseDataRate": null,
              "MinRequestBodyDataRate": { "BytesPerSecond": 7, "GracePeriod": "00:00:09" }, "Http2": { "MaxFrameSize": 20000 } }
            """);

        var limits = Bind(configuration);

        Assert.Null(limits.MaxRequestBodySize);
        Assert.Null(limits.MinResponseDataRate);
        Assert.Equal((7, TimeSpan.FromSeconds(9)), (limits.MinRequestBodyDataRate!.BytesPerSecond, limits.MinRequestBodyDataRate.GracePeriod));
        Assert.Equal(20_000, limits.Http2.MaxFrameSize);
        Assert.Equal(new KestrelServerLimits().MaxRequestLineSize, limits.MaxRequestLineSize);
    }

    [Theory]
    [InlineData("Kestrel:Limits:MaxConcurrentUsers", "5", "is not a known key")]
    [InlineData("Kestrel:Limits:Http2:Streams", "5", "is not a known key")]
    [InlineData("Kestrel:Limits:MaxRequestLineSize", "\"long\"", "Write a whole number")]
    [InlineData("Kestrel:Limits:RequestHeadersTimeout", "10", "Write a time")]
    [InlineData("Kestrel:Limits:MaxRequestLineSize", "0", "is refused by Kestrel")]
    [InlineData("Kestrel:Limits:KeepAliveTimeout", "\"-00:00:01\"", "is refused by Kestrel")]
    [InlineData("Kestrel:Limits:Http2:MaxFrameSize", "1", "is refused by Kestrel")]
    [InlineData("Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond", "100", "is refused by Kestrel")]
    public void A_limit_that_is_none_is_an_error(string key, string json, string message)
    {
        using var configuration = new ConfigurationFixture();

        var read = configuration.Set(key, json).Load();

        Assert.Null(read.Snapshot);
        Assert.Contains(read.Findings, finding => finding.Key == key && finding.Message.Contains(message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_changed_limit_holds_on_both_listeners()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set(
                "Kestrel:Limits",
                """{ "MaxRequestHeaderCount": 12, "MaxRequestLineSize": 200, "MaxRequestBodySize": 10, "RequestHeadersTimeout": "00:00:01" }"""));
        var token = $"Authorization: Bearer {world.Token("o-acme")}";
        var many = Enumerable.Range(0, 15).Select(i => $"X-{i}: a").ToArray();

        foreach (var url in (string[])[gateway.Url, gateway.ManagementUrl])
        {
            Assert.Equal(431, (await RawHttp.SendAsync(url, "/health/live", "GET", many)).Status);
            Assert.Equal(414, (await RawHttp.SendAsync(url, "/" + new string('a', 300))).Status);
            // A client that never ends its headers is cut off.
            Assert.StartsWith("HTTP/1.1 408", await RawHttp.ExchangeAsync(url, "GET / HTTP/1.1\r\nHost: x\r\n"), StringComparison.Ordinal);
        }

        Assert.Equal(413, (await RawHttp.SendAsync(gateway.Url, "/organizations/o-acme/x", "POST", token, "Content-Length: 11")).Status);
    }

    [Fact]
    public async Task A_connection_too_many_is_closed_and_management_has_its_own_count()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis().Set("Kestrel:Limits:MaxConcurrentConnections", "1"));
        using var first = new System.Net.Sockets.TcpClient();
        await first.ConnectAsync("127.0.0.1", new Uri(gateway.Url).Port);
        await first.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8.ToArray());
        Assert.True(await first.GetStream().ReadAsync(new byte[1000]) > 0);

        Assert.Equal("", await RawHttp.ExchangeAsync(gateway.Url, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"));
        Assert.Equal(200, (await RawHttp.SendAsync(gateway.ManagementUrl, "/health/live")).Status);
    }

    private static KestrelServerLimits Bind(ConfigurationFixture configuration)
    {
        var limits = new KestrelServerLimits();
        KestrelLimits.Bind(new ConfigurationBuilder().AddInMemoryCollection(configuration.Load().Snapshot!.Values).Build(), limits);
        return limits;
    }
}
