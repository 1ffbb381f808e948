using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Options;

namespace IotCredentials.Fetching;

/// <summary>A value, and whether a call was made for it.</summary>
internal readonly record struct Fetched<T>(T Value, bool IsNew);

/// <summary>
/// One caller's lookup of a value: everything that <see cref="Fetcher"/> cannot know about it. Implemented by structs, so that a read in memory allocates
/// nothing.
/// </summary>
internal interface IFetch<T> where T : class
{
    /// <summary>The kind of value in a word, for metrics.</summary>
    string Kind { get; }

    /// <summary>The cache key. Lookups with the same key share one call.</summary>
    string Key { get; }

    /// <summary>Whether the value may be used for this key at all. A value that may not is treated as missing.</summary>
    bool Matches(T value);

    /// <summary>Whether the value may be returned to this caller.</summary>
    bool IsAcceptable(T value);

    /// <summary>Whether an acceptable value is to be renewed in the background.</summary>
    bool IsRefreshDue(T value);

    /// <summary>Whether the value, which somebody else has cached since the lookup began, makes the call needless.</summary>
    bool IsCurrent(T value);

    /// <summary>Whether a value is newer than the one that is known.</summary>
    bool IsNewer(T value, T known);

    /// <summary>Whether values in Redis may be used now.</summary>
    ValueTask<bool> MayReadSharedAsync();

    /// <exception cref="VendingException">The call failed.</exception>
    Task<T> CallAsync();

    /// <summary>The time for which a new value is cached. It is not cached if that is not positive.</summary>
    TimeSpan CacheDurationOf(T value);

    /// <summary>Called after a new value was cached.</summary>
    /// <exception cref="VendingException">The value can be used by no caller: the call failed after all.</exception>
    Task OnCachedAsync(T value);

    /// <summary>Runs a renewal that no caller waits for. Does not throw.</summary>
    Task RefreshAsync(Func<Task> renew);
}

/// <summary>
/// Fetches values through the cache's two levels. One call per key runs at a time, across threads and replicas; all waiters share a failure, which is kept in
/// the negative cache. A value whose refresh is due is returned and renewed in the background.
/// </summary>
internal sealed class Fetcher(
    CredentialCache cache, SingleFlight flights, NegativeCache failures, CredentialMetrics metrics, IOptions<IotCredentialsOptions> options)
{
    // Longer than most calls, so that a call rarely costs another read of Redis.
    private static readonly TimeSpan s_findAgainAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>Reads this process's memory; null if it holds no acceptable value. Never waits.</summary>
    public T? ReadLocal<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> => Accept(fetch, cache.ReadLocal<T>(fetch.Key));

    /// <summary>Reads Redis; null if it holds no acceptable value, or does not respond.</summary>
    public async Task<T?> ReadSharedAsync<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> =>
        Accept(fetch, await flights.JoinAsync("read " + fetch.Key, () => ReadAsync<T, TFetch>(fetch)));

    /// <summary>
    /// Makes the call, unless another replica has made it since. The result is not necessarily acceptable: another caller may have begun the call.
    /// </summary>
    /// <exception cref="VendingException">The call failed, or an earlier failure is cached.</exception>
    public Task<Fetched<T>> RenewAsync<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> =>
        flights.JoinAsync(FlightOf(fetch.Key), () => failures.GuardAsync(fetch.Key, async () =>
        {
            // Wait for the lock for at most half of the timeout, so that the other half remains for the call.
            await using var held = await cache.LockAsync(fetch.Key, options.Value.WorkTimeout / 2, async () => await FindAsync<T, TFetch>(fetch) is not null);
            if (await FindAsync<T, TFetch>(fetch) is { } found) return new Fetched<T>(found, IsNew: false);
            return await FirstOfAsync<T, TFetch>(fetch);
        }));

    private T? Accept<T, TFetch>(TFetch fetch, T? value) where T : class where TFetch : IFetch<T>
    {
        if (value is null || !fetch.Matches(value) || !fetch.IsAcceptable(value)) return null;
        if (fetch.IsRefreshDue(value) && !failures.Contains(fetch.Key) && !flights.IsUnderWay(FlightOf(fetch.Key))) Refresh<T, TFetch>(fetch);
        return value;
    }

    private void Refresh<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> => _ = fetch.RefreshAsync(async () =>
    {
        var succeeded = false;
        try
        {
            await RenewAsync<T, TFetch>(fetch);
            succeeded = true;
        }
        finally
        {
            metrics.Refreshed(fetch.Kind, succeeded);
        }
    });

    private async Task<T?> ReadAsync<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> =>
        await fetch.MayReadSharedAsync() ? await cache.ReadSharedAsync<T>(fetch.Key, fetch.IsNewer) : null;

    private async Task<T?> FindAsync<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T> =>
        (await ReadAsync<T, TFetch>(fetch) ?? cache.ReadLocal<T>(fetch.Key)) is { } value && fetch.Matches(value) && fetch.IsCurrent(value) ? value : null;

    // Another replica may make the call as well, because either of them did not get the lock or has lost it: use the value that arrives first. The own value is
    // cached after that, and returned only when other replicas can read it.
    private async Task<Fetched<T>> FirstOfAsync<T, TFetch>(TFetch fetch) where T : class where TFetch : IFetch<T>
    {
        var call = fetch.CallAsync().ObserveException();
        while (await Task.WhenAny(call, Task.Delay(s_findAgainAfter)) != call)
        {
            var finding = FindAsync<T, TFetch>(fetch).ObserveException();
            if (await Task.WhenAny((Task)call, finding) == finding && await finding is { } found) return new(found, IsNew: false);
        }

        var value = await call;
        await cache.WriteAsync(fetch.Key, value, fetch.CacheDurationOf(value));
        await fetch.OnCachedAsync(value);
        return new(value, IsNew: true);
    }

    private static string FlightOf(string key) => "fetch " + key;
}
