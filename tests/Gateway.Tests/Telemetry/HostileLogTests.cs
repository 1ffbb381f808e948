using System.Globalization;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Telemetry;
using Gateway.Tests.Edge;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A client that is malformed or leaves costs the log a line, not fifty: no stack trace says anything of it.</summary>
public sealed class HostileLogTests
{
    private const string Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    private const string EmptySettings = "\0\0\0\u0004\0\0\0\0\0";

    [Fact]
    public async Task S25_no_request_puts_a_stack_trace_into_the_log()
    {
        const int Times = 5;
        await using var world = await World.StartAsync();
        var (http1, http2) = (FreePort.Find(), FreePort.Find());
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings.Remove("Urls");
            settings["Kestrel"] = JsonNode.Parse($$"""
                { "Endpoints": { "One": { "Url": "http://127.0.0.1:{{http1}}" }, "Two": { "Url": "http://127.0.0.1:{{http2}}", "Protocols": "Http2" } } }
                """);
        });
        var token = $"Authorization: Bearer {world.Token("o-acme")}\r\n";
        var devices = $"POST /organizations/o-acme/devices HTTP/1.1\r\nHost: a\r\n{token}";
        (string Name, int Port, string Bytes)[] hostile =
        [
            ("a chunk's length that is no number", http1, $"{devices}Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n"),
            ("a chunk that is longer than it says", http1, $"{devices}Transfer-Encoding: chunked\r\n\r\n1\r\nabcdef\r\n"),
            ("a negative chunk", http1, $"{devices}Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
            ("a chunked body that ends early", http1, $"{devices}Transfer-Encoding: chunked\r\n\r\n5\r\nab"),
            ("a body that is shorter than it says", http1, $"{devices}Content-Length: 100\r\n\r\nab"),
            ("a length that is no number", http1, $"{devices}Content-Length: x\r\n\r\nab"),
            ("a bad chunk without a token", http1, "POST /organizations/o-acme/devices HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
            ("a bad chunk for the credentials", http1,
                $"POST {Requests.CredentialsPath("o-acme")} HTTP/1.1\r\nHost: a\r\n{token}Transfer-Encoding: chunked\r\n\r\nZZ\r\n"),
            ("a service that aborts", http1, $"{devices.Replace("/devices", "/abort", StringComparison.Ordinal)}Content-Length: 0\r\n\r\n"),
            ("no HTTP at all", http1, "\u0016\u0003\u0001\u0002\0\u0001\r\n\r\n"),
            ("HTTP/2 where HTTP/1.1 is spoken", http1, Preface),
            ("HTTP/1.1 where HTTP/2 is spoken", http2, $"{devices}\r\n"),
            ("data on the connection's own stream", http2, $"{Preface}{EmptySettings}\0\0\u0001\0\0\0\0\0\0A"),
            ("headers that do not unpack", http2, $"{Preface}{EmptySettings}\0\0\u0004\u0001\u0004\0\0\0\u0001\u00ff\u00ff\u00ff\u00ff"),
            ("HTTP/2 without a host", http2, $"{Preface}{EmptySettings}{Encoding.Latin1.GetString(Http2Wire.Frame(
                Http2Wire.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, 1,
                Http2Wire.Fields((":method", "GET"), (":scheme", "http"), (":path", "/organizations/o-acme/devices"))))}"),
            ("a frame that is too large", http2, $"{Preface}{EmptySettings}\u00ff\u00ff\u00ff\0\0\0\0\0\u0001"),
        ];

        foreach (var (name, port, bytes) in hostile)
            for (var i = 0; i < Times; i++)
                await SendAsync(port, bytes, resets: i % 2 == 1);
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        var lines = gateway.Output.Split('\n');
        var stacks = lines.Where(line => line.TrimStart().StartsWith("at ", StringComparison.Ordinal)).ToList();
        Assert.True(stacks.Count == 0, string.Join('\n', lines.Where(line => !line.Contains("\"method\"", StringComparison.Ordinal)).Take(60)));
        // A header of a response that HTTP/2 does not have is a warning of Kestrel's.
        Assert.DoesNotContain("Server.Kestrel[41]", gateway.Output, StringComparison.Ordinal);
        // Two lines an entry on the console: one for the access log, one for a failed try.
        Assert.InRange(lines.Length, 1, (hostile.Length * Times * 4) + 100);
    }

    [Theory]
    [InlineData("a body of a known length", "/organizations/o-acme/devices", "Content-Length: 100", true)]
    [InlineData("a body that the client asks about", "/organizations/o-acme/devices", "Expect: 100-continue\r\nContent-Length: 100", true)]
    [InlineData("a body that the client asks about, and a connection that it ends", "/organizations/o-acme/devices",
        "Expect: 100-continue\r\nContent-Length: 100", false)]
    [InlineData("an upload without a token", "/open/devices", "Content-Length: 100", true)]
    public async Task S25_a_client_that_leaves_its_upload_is_no_line_of_Kestrels(string name, string path, string headers, bool resets)
    {
        const int Times = 20;
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(
            static settings => settings.WithoutRedis().Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }"""));
        var request = $"POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {world.Token("o-acme")}\r\n{headers}\r\n\r\n";

        for (var i = 0; i < Times; i++)
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", new Uri(gateway.Url).Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request + (headers.StartsWith('E') ? "" : "x")));
            // The gateway reads the body, or will: whatever the moment, the client's end is no fault.
            client.Client.Poll(TimeSpan.FromMilliseconds(5 + i), SelectMode.SelectError);
            if (!resets) continue;
            // Not by its stream, which would end the connection first.
            client.LingerState = new LingerOption(true, 0);
            client.Client.Dispose();
        }

        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());
        Assert.True(!gateway.Output.Contains("Server.Kestrel[", StringComparison.Ordinal), $"{name}:\n{gateway.Output}");
    }

    [Fact]
    public void S25_the_events_that_are_left_out_are_those_of_Kestrel()
    {
        var events = typeof(KestrelServer).Assembly.GetTypes()
            .SelectMany(static type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Select(static method => (method.DeclaringType!.Name, Event: method.GetCustomAttribute<LoggerMessageAttribute>()))
            .Where(static logged => logged.Event is not null)
            .Where(static logged => SensitiveLogFilter.IsOfClient(
                "Microsoft.AspNetCore.Server.Kestrel" + (logged.Name == "GeneralLog" ? "" : $".{logged.Name[..^"Log".Length]}"), logged.Event!.EventId))
            .Select(static logged => logged.Event!.EventName);

        Assert.Equal(["Http2QueueOperationsExceeded", "RequestBodyDrainBodyReaderInvalidState"], events.Order(StringComparer.Ordinal));
    }

    // What comes back is of no interest; a connection that is reset is the client's own doing.
    private static async Task SendAsync(int port, string bytes, bool resets)
    {
        using var limit = new CancellationTokenSource(Eventually.Limit);
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, limit.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(bytes), limit.Token);
        if (resets)
        {
            client.LingerState = new LingerOption(true, 0);
            client.Close();
            return;
        }

        client.Client.Shutdown(SocketShutdown.Send);
        await Record.ExceptionAsync(async () =>
        {
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, limit.Token) > 0) { }
        });
        Assert.False(limit.IsCancellationRequested, string.Create(CultureInfo.InvariantCulture, $"port {port} did not close within {Eventually.Limit}"));
    }
}
