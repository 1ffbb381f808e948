using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Testing;

namespace Gateway.Tests;

/// <summary>An answer as it came over the wire.</summary>
internal sealed record RawAnswer(int Status, ILookup<string, string> Headers, string Body);

/// <summary>Requests byte for byte: HttpClient tidies targets and headers that an attacker would not.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan s_patience = Eventually.Limit;

    public static async Task<RawAnswer> SendAsync(string url, string target, string method = "GET", params string[] headers)
    {
        var authority = new Uri(url).Authority;
        var lines = headers.Any(header => header.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)) ? headers : [$"Host: {authority}", .. headers];
        var answer = await ExchangeAsync(url, $"{method} {target} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\nConnection: close\r\n\r\n");

        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var head = answer[..end].Split("\r\n");
        return new(
            int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture),
            head[1..].Select(line => line.Split(": ", 2)).ToLookup(header => header[0], header => header[1], StringComparer.OrdinalIgnoreCase),
            answer[(end + 4)..]);
    }

    /// <summary>Sends bytes, each written as the character of that number, and returns what comes back until the other side closes.</summary>
    public static async Task<string> ExchangeAsync(string url, string bytes, string from = "127.0.0.1")
    {
        var uri = new Uri(url);
        using var patience = new CancellationTokenSource(s_patience);
        using var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await client.ConnectAsync(uri.Host, uri.Port, patience.Token);
        await using var stream = client.GetStream();
        var answer = new MemoryStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), patience.Token);
            await stream.CopyToAsync(answer, patience.Token);
        }
        catch (IOException)
        {
            // Closed with some of what was sent unread: what had been answered before counts.
        }

        return Encoding.Latin1.GetString(answer.ToArray());
    }
}
