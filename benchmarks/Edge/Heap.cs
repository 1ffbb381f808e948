using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;

namespace Edge;

/// <summary>What a gateway holds on to, told by its own metrics after a collection of everything else.</summary>
internal sealed class Heap(Gateway gateway, HttpClient client)
{
    // GCHeapCollectKeyword: the runtime collects once for each listener.
    private const long Collect = 0x800000;
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(350);

    /// <returns>Bytes, fragmentation left out.</returns>
    public async Task<double> MeasureAsync()
    {
        var before = await CollectionsAsync();
        using var session = new DiagnosticsClient(gateway.Server.Id).StartEventPipeSession(
            new EventPipeProvider("Microsoft-Windows-DotNETRuntime", EventLevel.Informational, Collect), requestRundown: false);
        var drained = session.EventStream.CopyToAsync(Stream.Null);
        while (await CollectionsAsync() <= before) await Task.Delay(s_between);
        await session.StopAsync(CancellationToken.None);
        await drained;
        var metrics = await ReadAsync();
        return Sum(metrics, "dotnet_gc_last_collection_heap_size_bytes{") - Sum(metrics, "dotnet_gc_last_collection_heap_fragmentation_size_bytes{");
    }

    private async Task<double> CollectionsAsync() =>
        Sum([.. (await ReadAsync()).Where(line => line.Contains("gen2", StringComparison.Ordinal))], "dotnet_gc_collections_total{");

    // The exporter responds with the same text for 300 ms.
    private async Task<string[]> ReadAsync()
    {
        await Task.Delay(s_between);
        return (await client.GetStringAsync(new Uri(gateway.ManagementUrl + "/metrics"))).Split('\n');
    }

    private static double Sum(IEnumerable<string> metrics, string name) => metrics
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Sum(line => double.Parse(
            line[(line.IndexOf('}', StringComparison.Ordinal) + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture));
}
