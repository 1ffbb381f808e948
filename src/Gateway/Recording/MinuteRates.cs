namespace Gateway.Recording;

/// <summary>Requests per second in the last minute, and latencies in milliseconds.</summary>
internal sealed record MinuteRates(double Rate, double RefusedRate, double ErrorRate, double? P50, double? P99)
{
    public static MinuteRates Of(RequestCounts counts, double seconds) => new(
        Math.Round(counts.Requests / seconds, 3), Math.Round(counts.Refused / seconds, 3), Math.Round(counts.Errors / seconds, 3), counts.P50, counts.P99);
}
