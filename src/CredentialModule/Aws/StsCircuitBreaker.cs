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
                $"STS in {region} keeps failing and is left alone for a while",
                e.RetryAfter is { Ticks: > 0 } after ? after : BreakDuration);
        }
    }

    private ResiliencePipeline Create(string region)
    {
        // The breaker calls its handlers one after another.
        long? opened = null;
        return new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = FailureRatio,
                MinimumThroughput = MinimumThroughput,
                SamplingDuration = SamplingDuration,
                BreakDuration = BreakDuration,
                ShouldHandle = new PredicateBuilder().Handle<VendingException>(e => e.Failure is FailureClass.Unavailable or FailureClass.Throttled),
                OnOpened = outcome =>
                {
                    if (opened is not null) return default;
                    opened = time.GetTimestamp();
                    Log.StsCircuitOpened(logger, region, (outcome.Outcome.Exception as VendingException)?.Failure ?? FailureClass.Unavailable);
                    return default;
                },
                OnClosed = _ =>
                {
                    if (opened is not { } since) return default;
                    opened = null;
                    Log.StsCircuitClosed(logger, region, (long)time.GetElapsedTime(since).TotalSeconds);
                    return default;
                },
            })
            .Build();
    }
}
