using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests;

/// <summary>An answer as it came over the wire.</summary>
internal sealed record RawAnswer(int Status, ILookup<string, string> Headers, string Body);

/// <summary>Requests byte for byte: HttpClient tidies targets and headers that an attacker would not.</summary>
internal static class RawHttp
{
    public static async Task<RawAnswer> SendAsync(string url, string target, string method = "GET", params string[] headers)
    {
        var uri = new Uri(url);
        using var client = new TcpClient();
        await client.ConnectAsync(uri.Host, uri.Port);
        await using var stream = client.GetStream();
        var lines = headers.Any(header => header.StartsWith("Host:", StringComparison.OrdinalIgnoreCase)) ? headers : [$"Host: {uri.Authority}", .. headers];
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{method} {target} HTTP/1.1\r\n{string.Join("\r\n", lines)}\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream, Encoding.Latin1);
        var answer = await reader.ReadToEndAsync();

        var end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var head = answer[..end].Split("\r\n");
        return new(
            int.Parse(head[0].Split(' ')[1], CultureInfo.InvariantCulture),
            head[1..].Select(line => line.Split(": ", 2)).ToLookup(header => header[0], header => header[1], StringComparer.OrdinalIgnoreCase),
            answer[(end + 4)..]);
    }
}
