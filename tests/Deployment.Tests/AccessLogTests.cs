using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The access log, as <c>jq</c> reads it.</summary>
public sealed class AccessLogTests
{
    private const int Lines = 1_000_000, Connections = 4, Batch = 50;
    private const string HostileSubject = "a\"b\\\r\n{\"time\":\"forged\"}\u0000\u001b[31m\u2028é😀";

    // What a path may hold that JSON, a shell or a terminal could take for something else.
    private static readonly string[] s_names =
        ["%22%7D%0A%7B", "%1b%5B31m", "%E2%80%A8%F0%9F%98%80", "%FF%FE", "'$(reboot)'`", "%5C%5Cu0000", "\\\"", "plain"];

    [Fact]
    public async Task A_million_lines_with_hostile_names_are_a_million_values_to_jq()
    {
        await using var world = await World.StartAsync();
        var folder = Directory.CreateTempSubdirectory("gateway-million-").FullName;
        var file = Path.Combine(folder, "access.log");
        var gateway = await world.StartGatewayProcessAsync(settings => settings["AccessLog"] = new JsonObject { ["Path"] = file });
        var token = world.Issuer.Issue(new TokenRequest { Subject = HostileSubject, Organizations = (string[])["o-acme"] });

        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => SendAsync(new Uri(gateway.Url), token)));
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        // One member of each value; a line that is no JSON, or another form of it, ends jq with an error.
        var read = await Tool.RunAsync("bash", ["-c", $"set -o pipefail; jq -r '.requestId | length' {file} | sort | uniq -c"]);
        Assert.True(read.ExitCode == 0, read.All);
        Assert.Equal($"{Lines} 32", read.Output.Trim());
        var subjects = await Tool.RunAsync("bash", ["-c", $"head -n 10000 {file} | jq -c 'select(.subject).subject' | sort -u"]);
        Assert.Equal(HostileSubject, (string)JsonNode.Parse(subjects.Output)!);
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Sends a connection's part of the requests, a batch at a time without waiting for an answer in between.</summary>
    private static async Task SendAsync(Uri gateway, string token)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(gateway.Host, gateway.Port);
        await using var stream = client.GetStream();
        var head = $" HTTP/1.1\r\nHost: {gateway.Authority}\r\nAuthorization: Bearer {token}\r\n\r\n";
        using var answers = new StreamReader(stream, Encoding.Latin1);
        for (var sent = 0; sent < Lines / Connections; sent += Batch)
        {
            var requests = string.Concat(Enumerable.Range(sent, Batch).Select(i => $"GET /{s_names[i % s_names.Length]}/{i}{head}"));
            await stream.WriteAsync(Encoding.Latin1.GetBytes(requests));
            for (var answered = 0; answered < Batch; answered++) await ReadAsync(answers);
        }
    }

    private static async Task ReadAsync(StreamReader answers)
    {
        var length = 0;
        while (await answers.ReadLineAsync() is { Length: > 0 } line)
        {
            if (line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)) length = int.Parse(line.AsSpan(16), CultureInfo.InvariantCulture);
        }

        var body = new char[length];
        Assert.Equal(length, await answers.ReadBlockAsync(body));
    }
}
