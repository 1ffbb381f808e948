using System.Diagnostics.CodeAnalysis;
using IotCredentials.Caching;
using IotCredentials.Failures;
using Microsoft.Extensions.Caching.Memory;

namespace IotCredentials.Fetching;

/// <summary>Caches failures for a short time, so that callers share one failed call instead of each repeating it.</summary>
internal sealed class NegativeCache(TimeProvider time) : IDisposable
{
    private const int MaxEntries = 10_000;
    private static readonly TimeSpan s_longestBackOff = TimeSpan.FromSeconds(30);

    private readonly MemoryCache _memory = new(new MemoryCacheOptions { SizeLimit = MaxEntries, Clock = new MemoryClock(time) });

    public bool Contains(string key) => TryFind(key, out var known) && TimeLeft(known) > TimeSpan.Zero;

    /// <summary>
    /// True if a failure is cached and this is the first call for it, so that its consequences are logged once. Always false for failures of the gateway's own
    /// credentials, which are already logged.
    /// </summary>
    public bool ShouldLog(string key) => TryFind(key, out var known) && known.Failure.Failure != FailureClass.Credentials && known.TryMarkLogged();

    /// <exception cref="VendingException">A failure is cached, or the run threw it.</exception>
    public async Task<T> GuardAsync<T>(string key, Func<Task<T>> run)
    {
        ThrowIfContained(key);
        try
        {
            var result = await run();
            _memory.Remove(key);
            return result;
        }
        catch (VendingException e)
        {
            throw Add(key, e);
        }
    }

    /// <exception cref="VendingException">A failure is cached.</exception>
    public void ThrowIfContained(string key)
    {
        if (TryFind(key, out var known) && TimeLeft(known) is var left && left > TimeSpan.Zero)
            throw new VendingException(known.Failure.Failure, known.Failure.Message, left);
    }

    /// <summary>Caches a failure for its RetryAfter. Consecutive throttles are cached for longer each time. Returns the failure with the time used.</summary>
    public VendingException Add(string key, VendingException failure)
    {
        TryFind(key, out var known);
        var throttles = failure.Failure == FailureClass.Throttled ? (known?.Throttles ?? 0) + 1 : 0;
        if (throttles > 0) failure = new VendingException(failure.Failure, failure.Message, BackOff(failure.RetryAfter, throttles));
        // A throttle is kept until the next attempt has ended, so that another throttle counts as consecutive.
        var kept = throttles > 0 ? (failure.RetryAfter * 2) + IotCredentialsOptions.LongestTimeout : failure.RetryAfter * 2;
        var entry = new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = kept };
        _memory.Set(key, new CachedFailure(failure, time.GetTimestamp(), throttles), entry);
        return failure;
    }

    public void Dispose() => _memory.Dispose();

    private static TimeSpan BackOff(TimeSpan first, int throttles)
    {
        var longest = Math.Min(s_longestBackOff.TotalSeconds, first.TotalSeconds * Math.Pow(2, throttles - 1));
        return TimeSpan.FromSeconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    private bool TryFind(string key, [NotNullWhen(true)] out CachedFailure? known) => _memory.TryGetValue(key, out known) && known is not null;

    private TimeSpan TimeLeft(CachedFailure known) => known.Failure.RetryAfter - time.GetElapsedTime(known.Since);

    private sealed record CachedFailure(VendingException Failure, long Since, int Throttles)
    {
        private int _isLogged;

        public bool TryMarkLogged() => Interlocked.Exchange(ref _isLogged, 1) == 0;
    }
}
