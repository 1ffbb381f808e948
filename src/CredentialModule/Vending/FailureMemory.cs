using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Caching.Memory;

namespace CredentialModule.Vending;

/// <summary>Remembers briefly that something failed, so that a failure answers everybody and is not tried again by each.</summary>
internal sealed class FailureMemory(TimeProvider time) : IDisposable
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(30);

    // IotCredentials:Timeout can be no longer.
    private static readonly TimeSpan LongestTry = TimeSpan.FromMinutes(1);

    private readonly MemoryCache _memory = new(new MemoryCacheOptions { SizeLimit = MostRemembered });

    public bool Remembers(string key) => TryRecall(key, out var known) && time.GetUtcNow() < known.Until;

    /// <summary>
    /// True to the first who asks about a failure that is remembered, so that its consequences are told once. Those of the gateway's own credentials
    /// are told already.
    /// </summary>
    public bool TellsFirst(string key) => TryRecall(key, out var known) && known.Failure.Failure != FailureClass.Credentials && known.TellsFirst();

    /// <exception cref="VendingException">The failure is remembered, or the run threw it.</exception>
    public async Task<T> GuardAsync<T>(string key, Func<Task<T>> run)
    {
        ThrowIfRemembered(key);
        try
        {
            var result = await run();
            _memory.Remove(key);
            return result;
        }
        catch (VendingException e)
        {
            throw Remember(key, e);
        }
    }

    /// <exception cref="VendingException">The failure is remembered.</exception>
    public void ThrowIfRemembered(string key)
    {
        if (TryRecall(key, out var known) && time.GetUtcNow() is var now && now < known.Until)
            throw new VendingException(known.Failure.Failure, known.Failure.Message, known.Until - now);
    }

    /// <summary>Remembers a failure for as long as it says; throttles in a row for longer and longer. Returns it with that time.</summary>
    public VendingException Remember(string key, VendingException failure)
    {
        TryRecall(key, out var known);
        var throttles = failure.Failure == FailureClass.Throttled ? (known?.Throttles ?? 0) + 1 : 0;
        if (throttles > 0) failure = new VendingException(failure.Failure, failure.Message, BackOff(failure.RetryAfter, throttles));
        // A throttle is kept until the next try has ended, so that another one is known for the next in a row.
        var kept = throttles > 0 ? (failure.RetryAfter * 2) + LongestTry : failure.RetryAfter * 2;
        var entry = new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = kept };
        _memory.Set(key, new Remembered(failure, time.GetUtcNow() + failure.RetryAfter, throttles), entry);
        return failure;
    }

    public void Dispose() => _memory.Dispose();

    private static TimeSpan BackOff(TimeSpan first, int throttles)
    {
        var longest = Math.Min(LongestBackOff.TotalSeconds, first.TotalSeconds * Math.Pow(2, throttles - 1));
        return TimeSpan.FromSeconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    private bool TryRecall(string key, [NotNullWhen(true)] out Remembered? known) => _memory.TryGetValue(key, out known) && known is not null;

    private sealed record Remembered(VendingException Failure, DateTimeOffset Until, int Throttles)
    {
        private int _told;

        public bool TellsFirst() => Interlocked.Exchange(ref _told, 1) == 0;
    }
}
