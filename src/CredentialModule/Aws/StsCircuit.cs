using System.Collections.Concurrent;
using CredentialModule.Vending;
using Polly;
using Polly.CircuitBreaker;

namespace CredentialModule.Aws;

/// <summary>Leaves a region's STS alone for a while when half of what it is asked fails for its own sake. What it refuses is no such failure.</summary>
internal sealed class StsCircuit(TimeProvider time)
{
    private static readonly TimeSpan Break = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, ResiliencePipeline> _regions = new(StringComparer.Ordinal);

    /// <exception cref="VendingException">The circuit is open, or what the call threw.</exception>
    public async Task<T> CallAsync<T>(string region, Func<Task<T>> call)
    {
        try
        {
            return await _regions.GetOrAdd(region, Create).ExecuteAsync(static async (call, _) => await call(), call);
        }
        catch (BrokenCircuitException e)
        {
            throw new VendingException(FailureClass.Unavailable, $"STS in {region} keeps failing and is left alone for a while", e.RetryAfter is { Ticks: > 0 } after ? after : Break);
        }
    }

    private ResiliencePipeline Create(string region) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(10),
                BreakDuration = Break,
                ShouldHandle = new PredicateBuilder().Handle<VendingException>(e => e.Failure is FailureClass.Unavailable or FailureClass.Throttled),
            })
            .Build();
}
