using System.Net;
using System.Net.Sockets;
using System.Text;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>What a service gets, byte for byte.</summary>
public sealed class RequestTrailerTests
{
    [Fact]
    public async Task A_clients_trailers_and_its_chunks_extensions_end_at_the_gateway()
    {
        using var service = new TcpListener(IPAddress.Loopback, 0);
        service.Start();
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"http://{service.LocalEndpoint}/\""));

        var receiving = ReceiveAsync(service);
        var answer = await RawHttp.ExchangeAsync(gateway.Url,
            $"POST /organizations/o-acme/x HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {world.Token("o-acme")}\r\nConnection: close\r\n"
            + "Transfer-Encoding: chunked\r\nTrailer: X-Gateway-Subject\r\n\r\n5;a=forged\r\nhello\r\n0\r\nX-Gateway-Subject: forged\r\n\r\n");
        var received = await receiving;

        Assert.StartsWith("HTTP/1.1 204", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n5\r\nhello\r\n0\r\n\r\n", received, StringComparison.Ordinal);
        Assert.DoesNotContain("forged", received, StringComparison.Ordinal);
        Assert.DoesNotContain("Trailer:", received, StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<string> ReceiveAsync(TcpListener service)
    {
        using var patience = new CancellationTokenSource(Eventually.Limit);
        using var client = await service.AcceptTcpClientAsync(patience.Token);
        var stream = client.GetStream();
        var received = new StringBuilder();
        var buffer = new byte[4096];
        while (!received.ToString().EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer, patience.Token);
            if (read == 0) break;
            received.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        await stream.WriteAsync("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"u8.ToArray(), patience.Token);
        return received.ToString();
    }
}
