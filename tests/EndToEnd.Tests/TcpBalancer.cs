using System.Net;
using System.Net.Sockets;
using Testing;

namespace EndToEnd.Tests;

/// <summary>A balancer as clouds have them: it asks each gateway whether it is ready, gives new connections to those in turn, and copies bytes.</summary>
internal sealed class TcpBalancer : IDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HttpClient _probe = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly CancellationTokenSource _end = new();
    private volatile GatewayProcess[] _gateways = [];
    private volatile GatewayProcess[] _ready = [];
    private int _turn;

    public TcpBalancer()
    {
        _listener.Start();
        _ = AcceptAsync();
        _ = ProbeAsync();
    }

    public string Url => $"http://{_listener.LocalEndpoint}";

    /// <summary>Puts gateways behind it, and waits until all are known to be ready.</summary>
    public async Task UseAsync(params GatewayProcess[] gateways)
    {
        _gateways = gateways;
        await Eventually.IsTrueAsync(() => _ready.Length == gateways.Length && !_ready.Except(gateways).Any());
    }

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _probe.Dispose();
        _end.Dispose();
    }

    private async Task ProbeAsync()
    {
        using var timer = new PeriodicTimer(Interval);
        do
        {
            var gateways = _gateways;
            var isReady = await Task.WhenAll(gateways.Select(IsReadyAsync));
            _ready = [.. gateways.Where((_, i) => isReady[i])];
        }
        while (await timer.WaitForNextTickAsync(_end.Token));
    }

    private async Task<bool> IsReadyAsync(GatewayProcess gateway)
    {
        try
        {
            using var answer = await _probe.GetAsync(new Uri(gateway.ManagementUrl + "/health/ready"), _end.Token);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !_end.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task AcceptAsync()
    {
        while (true) _ = PassAsync(await _listener.AcceptTcpClientAsync(_end.Token));
    }

    private async Task PassAsync(TcpClient client)
    {
        using (client)
        {
            var ready = _ready;
            if (ready.Length == 0) return;
            var gateway = new Uri(ready[(uint)Interlocked.Increment(ref _turn) % ready.Length].Url);
            using var server = new TcpClient();
            try
            {
                await server.ConnectAsync(gateway.Host, gateway.Port, _end.Token);
                await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One end broke off, and so does the other.
            }
        }
    }

    private async Task CopyAsync(TcpClient from, TcpClient to)
    {
        await from.GetStream().CopyToAsync(to.GetStream(), _end.Token);
        to.Client.Shutdown(SocketShutdown.Send);
    }
}
