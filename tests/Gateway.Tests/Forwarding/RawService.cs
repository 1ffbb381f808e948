using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests.Forwarding;

/// <summary>
/// A service that keeps each request's head as it came, one character a byte, and sends for its target what it is told, in bytes; then it hangs up. So it can
/// be wrong in every way that a service can.
/// </summary>
internal sealed class RawService : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, string> _response;

    public RawService(Func<string, string>? response = null)
    {
        _response = response ?? (static _ => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}/";

    public ConcurrentQueue<string> Heads { get; } = new();

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = RespondAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task RespondAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                var head = new StringBuilder();
                var buffer = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    if (await stream.ReadAsync(buffer) == 0) return;
                    head.Append((char)buffer[0]);
                }

                Heads.Enqueue(head.ToString());
                await stream.WriteAsync(Encoding.Latin1.GetBytes(_response(head.ToString().Split(' ', 3)[1])));
            }
            catch (IOException)
            {
                // The gateway hung up first.
            }
        }
    }
}
