using System.Diagnostics;

namespace Edge;

/// <summary>How long an operator waits for a gateway's first response, and how much memory it holds at rest.</summary>
internal static class StartUp
{
    private const int Starts = 5;
    private static readonly TimeSpan s_rest = TimeSpan.FromSeconds(2);

    /// <returns>
    /// Seconds from the process' start to the first authenticated 200 that was passed through, a start each; and bytes at rest after one more start.
    /// </returns>
    public static async Task<(IReadOnlyList<double> Seconds, double Memory)> MeasureAsync(Stage stage)
    {
        var (path, token) = stage.SomePassThrough;
        var took = new List<double>();
        var memory = 0L;
        for (var start = 0; start < Starts; start++)
        {
            var begun = Stopwatch.GetTimestamp();
            using var gateway = await stage.StartGatewayAsync($"start{start}");
            await stage.AskAsync(gateway.Url + path, token);
            took.Add(Stopwatch.GetElapsedTime(begun).TotalSeconds);
            if (start < Starts - 1) continue;
            await Task.Delay(s_rest);
            memory = gateway.Server.Memory;
        }

        return (took, memory);
    }
}
