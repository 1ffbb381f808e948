using System.Diagnostics;
using System.Net.WebSockets;

namespace Edge;

/// <summary>What WebSockets through a gateway cost while nothing is sent.</summary>
/// <param name="Streams">How many.</param>
/// <param name="Opened">How many were opened a second.</param>
/// <param name="Bytes">Resident memory of the gateway for each.</param>
/// <param name="Processor">The part of one processor that the gateway uses for all of them.</param>
/// <param name="Alone">Other requests, before the first stream.</param>
/// <param name="Beside">The same requests beside the streams.</param>
internal sealed record StreamRun(int Streams, double Opened, double Bytes, double Processor, WrkRun Alone, WrkRun Beside);

/// <summary>As many idle WebSockets as the shipped limit allows.</summary>
internal static class IdleStreams
{
    private const int Count = 5_000;
    private const int AtOnce = 32;
    private const int Connections = 8;
    private const int Seconds = 2;
    private static readonly TimeSpan s_idle = TimeSpan.FromSeconds(5);

    public static async Task<StreamRun> MeasureAsync(Stage stage)
    {
        using var gateway = await stage.StartGatewayAsync("streams", settings => Configurations.Streams(settings, stage.World.Downstream.Url, Count));
        var requests = stage.WriteRequests("streams", [stage.SomePassThrough]);
        await Wrk.WarmUpAsync(gateway.Server, requests);
        var alone = await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections);

        var sockets = new ClientWebSocket[Count];
        try
        {
            var (memory, begun) = (gateway.Server.Memory, Stopwatch.GetTimestamp());
            await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, cancellation) =>
            {
                sockets[i] = new ClientWebSocket();
                sockets[i].Options.SetRequestHeader("Authorization", $"Bearer {stage.SomePassThrough.Token}");
                await sockets[i].ConnectAsync(new Uri($"ws://127.0.0.1:{gateway.Server.Port}{Configurations.StreamPath}"), cancellation);
            });
            var opened = Count / Stopwatch.GetElapsedTime(begun).TotalSeconds;
            var bytes = (double)(gateway.Server.Memory - memory) / Count;

            var before = gateway.Server.Processor;
            await Task.Delay(s_idle);
            var processor = (gateway.Server.Processor - before) / s_idle;
            return new(Count, opened, bytes, processor, alone, await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections));
        }
        finally
        {
            foreach (var socket in sockets) socket?.Dispose();
        }
    }
}
