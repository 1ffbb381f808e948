using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace Testing;

/// <summary>A TCP server that runs a test's script on each connection, then closes it.</summary>
public sealed class StubTcpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<string> _received = new();
    private readonly Func<Stream, CancellationToken, Task> _script;
    private readonly Task _serving;

    /// <param name="script">Reads and writes; ends when the connection is to be closed. Its token is cancelled when the server is disposed of.</param>
    public StubTcpServer(Func<Stream, CancellationToken, Task> script)
    {
        _script = script;
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>A server that sends the same response whenever something arrives, and keeps what arrived.</summary>
    /// <param name="response">The response, byte for byte.</param>
    /// <param name="closes">Whether the connection is closed after the first response.</param>
    public StubTcpServer(string response, bool closes = false)
    {
        _script = (stream, ended) => RepeatAsync(stream, Encoding.Latin1.GetBytes(response), closes, ended);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Everything that arrived, as Latin-1: an item per read.</summary>
    public IReadOnlyCollection<string> Received => _received;

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Stop();
        await _serving;
        _ended.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(RunScriptAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
        }
        catch (Exception e) when (_ended.IsCancellationRequested && e is OperationCanceledException or InvalidOperationException or SocketException)
        {
            // The listener was stopped between two connections, or while it waited for one.
            await Task.WhenAll(connections);
        }
    }

    private async Task RunScriptAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await _script(client.GetStream(), _ended.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or AuthenticationException)
            {
                // The client has left, or does not speak TLS, or the test is over.
            }
        }
    }

    private async Task RepeatAsync(Stream stream, byte[] response, bool closes, CancellationToken ended)
    {
        var buffer = new byte[64 * 1024];
        while (await stream.ReadAsync(buffer, ended) is > 0 and var length)
        {
            _received.Enqueue(Encoding.Latin1.GetString(buffer, 0, length));
            await stream.WriteAsync(response, ended);
            if (closes) return;
        }
    }
}
