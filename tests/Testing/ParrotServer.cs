using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>A server that sends the same response to whatever arrives, and keeps what it was sent if asked to.</summary>
public sealed class ParrotServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly StringBuilder? _received;
    private readonly byte[] _response;
    private readonly bool _closes;
    private readonly Task _serving;

    /// <param name="response">The response, byte for byte.</param>
    /// <param name="closes">Whether the connection is closed behind it.</param>
    /// <param name="keeps">Whether to keep what is received.</param>
    public ParrotServer(string response, bool closes = false, bool keeps = false)
    {
        (_response, _closes, _received) = (Encoding.Latin1.GetBytes(response), closes, keeps ? new() : null);
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>All that was received, as Latin-1.</summary>
    public string Received
    {
        get { lock (_received!) return _received.ToString(); }
    }

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
            while (true) connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_ended.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        var buffer = new byte[64 * 1024];
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                while (await stream.ReadAsync(buffer, _ended.Token) is > 0 and var length)
                {
                    if (_received is not null) lock (_received) _received.Append(Encoding.Latin1.GetString(buffer, 0, length));
                    await stream.WriteAsync(_response, _ended.Token);
                    if (_closes) return;
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client has left.
            }
        }
    }
}
