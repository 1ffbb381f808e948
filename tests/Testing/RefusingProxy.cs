using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Testing;

/// <summary>A forward proxy that lets nothing pass, and keeps where requests wanted to go.</summary>
public sealed class RefusingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly ConcurrentQueue<string> _asked = new();
    private readonly string _response;
    private readonly Task _serving;

    /// <param name="response">The status line, and what follows it: headers and a body.</param>
    public RefusingProxy(string response)
    {
        _response = response;
        _listener.Start();
        _serving = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The hosts and ports that tunnels were asked to, or the whole targets of requests.</summary>
    public IReadOnlyCollection<string> Asked => _asked;

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
        using (client)
        {
            try
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream, leaveOpen: true);
                if (await reader.ReadLineAsync(_ended.Token) is { } line) _asked.Enqueue(line.Split(' ')[1]);
                while (await reader.ReadLineAsync(_ended.Token) is { Length: > 0 })
                {
                    // Headers.
                }

                await stream.WriteAsync(Encoding.Latin1.GetBytes(_response), _ended.Token);
            }
            catch (Exception e) when (e is IOException or OperationCanceledException)
            {
                // The client has left.
            }
        }
    }
}
