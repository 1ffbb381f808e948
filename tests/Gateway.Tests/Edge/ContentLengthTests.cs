using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>C3: a length that is not digits alone ends its connection, and nothing behind it is served. Single requests are among the hostile ones.</summary>
public sealed class ContentLengthTests(BothProtocols platform) : IClassFixture<BothProtocols>
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("bytes", "+0", 1)]
    [InlineData("one-packet", "+0", int.MaxValue)]
    [InlineData("sevens", "-0", 7)]
    [InlineData("threes", "+5", 3)]
    public async Task C3_a_bad_length_behind_a_good_request_closes_the_connection_whatever_its_packets(string path, string length, int packet)
    {
        path = "/plain/" + path;
        var head = $"Host: {new Uri(platform.Http1).Authority}\r\nAuthorization: Bearer {platform.World.Token()}\r\n";
        var bytes = $"POST {path}/good HTTP/1.1\r\n{head}Content-Length: 2\r\n\r\nok"
            + $"POST {path}/bad HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n"
            + $"GET {path}/smuggled HTTP/1.1\r\n{head}\r\n";

        var responses = await SendInPacketsAsync(bytes, packet);

        Assert.Equal(["200", "400"], responses.Split("HTTP/1.1 ")[1..].Select(response => response[..3]));
        Assert.Equal([$"{path}/good"], platform.Received(path).Select(received => received.Target));
    }

    [Theory]
    [InlineData("plus", "+5", false)]
    [InlineData("indexed", "+5", true)]
    [InlineData("minus", "-0", true)]
    [InlineData("two", "5,5", true)]
    [InlineData("hexadecimal", "0x5", true)]
    public async Task C3_a_bad_length_over_HTTP_2_is_a_protocol_error(string path, string length, bool isIndexed)
    {
        path = "/plain/h2/" + path;
        using var patience = new CancellationTokenSource(s_patience);
        var url = new Uri(platform.Http2);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, patience.Token);
        await using var stream = client.GetStream();
        byte[] headers =
        [
            .. Http2Wire.Fields(
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", url.Authority),
                ("authorization", "Bearer " + platform.World.Token())),
            // The name in full, or as entry 28 of the static table.
            .. isIndexed ? (byte[])[0x0f, 0x0d, .. Http2Wire.Text(length)] : Http2Wire.Fields(("content-length", length)),
        ];
        await stream.WriteAsync(
            (byte[])
            [
                .. Http2Wire.Preface,
                .. Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders, 1, headers),
                .. Http2Wire.Frame(Http2Wire.Data, Http2Wire.EndStream, 1, "hello"u8.ToArray()),
            ],
            patience.Token);

        var error = await ErrorAsync(stream, patience.Token);

        // PROTOCOL_ERROR
        Assert.Equal(1, error);
        Assert.Empty(platform.Received(path));
    }

    private async Task<string> SendInPacketsAsync(string bytes, int packet)
    {
        using var patience = new CancellationTokenSource(s_patience);
        var url = new Uri(platform.Http1);
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(url.Host, url.Port, patience.Token);
        await using var stream = client.GetStream();
        var received = new MemoryStream();
        try
        {
            foreach (var part in Encoding.ASCII.GetBytes(bytes).Chunk(packet)) await stream.WriteAsync(part, patience.Token);
        }
        catch (IOException)
        {
            // Closed before the last packet.
        }

        try
        {
            await stream.CopyToAsync(received, patience.Token);
        }
        catch (IOException)
        {
            // Closed with some of the packets unread.
        }

        return Encoding.ASCII.GetString(received.ToArray());
    }

    /// <summary>The code of the first GOAWAY or RST_STREAM; null when the connection ends without one.</summary>
    private static async Task<int?> ErrorAsync(Stream stream, CancellationToken cancellation)
    {
        while (await Http2Wire.ReadAsync(stream, cancellation) is var (type, _, _, payload))
        {
            if (type is Http2Wire.GoAway) return payload[7];
            if (type is Http2Wire.Reset) return payload[3];
        }

        return null;
    }
}
