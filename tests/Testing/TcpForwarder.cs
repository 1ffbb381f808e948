using System.Net;
using System.Net.Sockets;

namespace Testing;

/// <summary>Forwards each new connection to the current target port after a delay, like a DNS name that can move.</summary>
public sealed class TcpForwarder : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private volatile int _target;
    private int _accepted;
    private long _returned;

    public TcpForwarder(int target)
    {
        _target = target;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The bytes that the targets have sent.</summary>
    public long Returned => Interlocked.Read(ref _returned);

    /// <summary>The delay of a connection's first byte.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Forwards new connections to another port. Open ones keep theirs.</summary>
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

    private async Task ReturnAsync(NetworkStream target, NetworkStream client)
    {
        var buffer = new byte[64 * 1024];
        while (await target.ReadAsync(buffer, _end.Token) is > 0 and var read)
        {
            Interlocked.Add(ref _returned, read);
            await client.WriteAsync(buffer.AsMemory(0, read), _end.Token);
        }
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
                var (from, to) = (client.GetStream(), server.GetStream());
                await Task.WhenAny(from.CopyToAsync(to, _end.Token), ReturnAsync(to, from));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One end has closed, so both are closed.
            }
        }
    }
}
