using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>A name that can move: gives each new connection to the port that is set now, after a delay, and copies bytes.</summary>
public sealed class TcpForwarder : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private volatile int _target;
    private int _accepted;

    public TcpForwarder(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The time that a connection takes before its first byte gets through.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Gives new connections to another port. Those that are open stay where they are.</summary>
    public void MoveTo(int target) => _target = target;

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true) _ = PassAsync(await _listener.AcceptTcpClientAsync(_end.Token));
    }

    private async Task PassAsync(TcpClient client)
    {
        Interlocked.Increment(ref _accepted);
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await Task.Delay(Delay, _end.Token);
                await server.ConnectAsync(IPAddress.Loopback, _target, _end.Token);
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(server.GetStream(), _end.Token), server.GetStream().CopyToAsync(client.GetStream(), _end.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One end broke off, and so does the other.
            }
        }
    }
}
