using System.Diagnostics;
using System.Net.Http.Headers;
using System.Net.WebSockets;

namespace Edge;

/// <summary>What streams through a gateway cost while nothing is sent.</summary>
/// <param name="Kind">Their protocol.</param>
/// <param name="Streams">How many.</param>
/// <param name="Opened">How many were opened a second.</param>
/// <param name="Bytes">Resident memory of the gateway for each.</param>
/// <param name="Processor">The part of one processor that the gateway uses for all of them.</param>
/// <param name="Alone">Other requests, before the first stream.</param>
/// <param name="Beside">The same requests beside the streams.</param>
internal sealed record StreamRun(string Kind, int Streams, double Opened, double Bytes, double Processor, LoadRun Alone, LoadRun Beside);

/// <summary>
/// Idle streams, a gateway for each kind. Clients have a connection each, and the service is reached by HTTP/2: a process may have no more than 20,000 sockets on
/// many a machine.
/// </summary>
internal static class IdleStreams
{
    private const int Count = 10_000;
    private const int AtOnce = 32;
    private const int Connections = 8;
    private const int Seconds = 2;
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<StreamRun>> MeasureAsync(Stage stage)
    {
        using var events = new HttpClient();
        events.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", stage.SomePassThrough.Token);
        return [await MeasureAsync(stage, "WebSocket", OpenSocketAsync), await MeasureAsync(stage, "server-sent events", OpenEventsAsync)];

        async Task<IDisposable> OpenSocketAsync(Server gateway)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Authorization", events.DefaultRequestHeaders.Authorization.ToString());
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{gateway.Port}{stage.SomePassThrough.Path}"), CancellationToken.None);
            return socket;
        }

        async Task<IDisposable> OpenEventsAsync(Server gateway)
        {
            var stream = await events.GetStreamAsync(new Uri(gateway.Url + stage.SomePassThrough.Path));
            await stream.ReadExactlyAsync(new byte["data: 0\n\n".Length]);
            return stream;
        }
    }

    private static async Task<StreamRun> MeasureAsync(Stage stage, string kind, Func<Server, Task<IDisposable>> open)
    {
        using var service = await stage.StartPeerAsync("streams", "--Kestrel:EndpointDefaults:Protocols", "Http2");
        // The other requests are vends: the service responds to no other kind of request.
        using var gateway = await stage.StartGatewayAsync("streams", settings =>
        {
            Configurations.Streams(settings, Count);
            Configurations.ToHttp2(settings, service.Url);
        });
        var requests = stage.WriteRequests("streams", [stage.SomeVend]);
        await WarmUp.RunAsync(Wrk.RunAsync, gateway.Server, requests);
        var alone = await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections);

        var streams = new IDisposable[Count];
        try
        {
            var (memory, begun) = (gateway.Server.Memory, Stopwatch.GetTimestamp());
            await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) => streams[i] = await open(gateway.Server));
            var opened = Count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var bytes = (double)(gateway.Server.Memory - memory) / Count;

            var before = gateway.Server.Processor;
            await Task.Delay(s_idle);
            var processor = (gateway.Server.Processor - before) / s_idle;
            return new(kind, Count, opened, bytes, processor, alone, await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections));
        }
        finally
        {
            foreach (var stream in streams) stream?.Dispose();
        }
    }
}
