using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using Microsoft.Extensions.Options;

namespace IotCredentials.Vending;

/// <summary>A value, and whether a call was made for it.</summary>
internal readonly record struct Fetched<T>(T Value, bool IsNew);

/// <summary>
/// Makes the call for a value that is not cached: one at a time per key, across threads and replicas. All waiters share a failure, which is kept in the
/// negative cache.
/// </summary>
internal sealed class SharedFetch(CredentialCache cache, SingleFlight flights, NegativeCache failures, IOptions<IotCredentialsOptions> options)
{
    private static readonly TimeSpan s_findAgainAfter = TimeSpan.FromMilliseconds(100);

    public bool IsUnderWay(string key) => flights.IsUnderWay(FlightOf(key));

    /// <param name="key">The cache key.</param>
    /// <param name="find">Finds an acceptable value in the cache.</param>
    /// <param name="call">Makes the call and writes its value to the cache.</param>
    /// <exception cref="VendingException">The call failed, or an earlier failure is cached.</exception>
    public Task<Fetched<T>> RunAsync<T>(string key, Func<Task<T?>> find, Func<Task<T>> call) where T : class =>
        flights.JoinAsync(FlightOf(key), () => failures.GuardAsync(key, async () =>
        {
            // Wait for the lock for at most half of the timeout, so that the other half remains for the call.
            await using var held = await cache.LockAsync(key, options.Value.WorkTimeout / 2, async () => await find() is not null);
            if (await find() is { } found) return new Fetched<T>(found, IsNew: false);
            return held is { IsHeld: false } ? await CallBesideAsync(find, call()) : new(await call(), IsNew: true);
        }));

    // Another replica still holds the lock and makes the call as well: use the value that arrives first.
    private static async Task<Fetched<T>> CallBesideAsync<T>(Func<Task<T?>> find, Task<T> call) where T : class
    {
        _ = SingleFlight.Observed(call);
        while (await Task.WhenAny(call, Task.Delay(s_findAgainAfter)) != call)
        {
            if (await find() is { } found) return new(found, IsNew: false);
        }

        return new(await call, IsNew: true);
    }

    private static string FlightOf(string key) => "fetch " + key;
}
