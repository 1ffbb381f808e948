using System.Collections.Concurrent;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;

namespace IotCredentials.Aws;

/// <summary>
/// A circuit breaker for each region's STS. It opens for 5 s when half of the calls fail because STS throttles or is unavailable. A refusal by AWS does not
/// count as a failure. That it opens is logged once until it closes, however often a trial call opens it again.
/// </summary>
internal sealed class StsCircuitBreaker(TimeProvider time, ILogger<StsCircuitBreaker> logger)
{
    internal const double FailureRatio = 0.5;
    internal const int MinimumThroughput = 10;
    internal static readonly TimeSpan SamplingDuration = TimeSpan.FromSeconds(10);
    internal static readonly TimeSpan BreakDuration = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, ResiliencePipeline> _regions = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Outage> _outages = new(StringComparer.Ordinal);

    /// <summary>The regions whose circuit has opened and not yet closed, and why; null if there are none.</summary>
    public string? Problem
    {
        get
        {
            // The dictionary's own copy, because LINQ's reads count and entries at different moments.
            var outages = _outages.ToArray();
            if (outages.Length == 0) return null;
            var regions = outages.OrderBy(static outage => outage.Key, StringComparer.Ordinal);
            return $"STS keeps failing in {string.Join(", ", regions.Select(static outage => $"{outage.Key} ({outage.Value.Failure})"))}";
        }
    }

    /// <exception cref="VendingException">The circuit is open, or the call threw it.</exception>
    public async Task<T> CallAsync<T>(string region, Func<Task<T>> call)
    {
        try
        {
            return await _regions.GetOrAdd(region, Create).ExecuteAsync(static async (call, _) => await call(), call);
        }
        catch (BrokenCircuitException e)
        {
            throw new VendingException(
                FailureClass.Unavailable,
                $"STS in {region} keeps failing and is not called for now",
                e.RetryAfter is { Ticks: > 0 } after ? after : BreakDuration);
        }
    }

    private ResiliencePipeline Create(string region) => new ResiliencePipelineBuilder { TimeProvider = time }
        .AddCircuitBreaker(new CircuitBreakerStrategyOptions
        {
            FailureRatio = FailureRatio,
            MinimumThroughput = MinimumThroughput,
            SamplingDuration = SamplingDuration,
            BreakDuration = BreakDuration,
            ShouldHandle = new PredicateBuilder().Handle<VendingException>(e => e.Failure is FailureClass.Unavailable or FailureClass.Throttled),
            OnOpened = outcome =>
            {
                var failure = (outcome.Outcome.Exception as VendingException)?.Failure ?? FailureClass.Unavailable;
                if (_outages.TryAdd(region, new(time.GetTimestamp(), failure))) Log.StsCircuitOpened(logger, region, failure);
                return default;
            },
            OnClosed = _ =>
            {
                if (_outages.TryRemove(region, out var outage)) Log.StsCircuitClosed(logger, region, (long)time.GetElapsedTime(outage.Began).TotalSeconds);
                return default;
            },
        })
        .Build();

    private readonly record struct Outage(long Began, FailureClass Failure);
}
