using CredentialModule.Caching;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>A value, and whether a call was made for it.</summary>
internal readonly record struct Fetched<T>(T Value, bool IsNew);

/// <summary>
/// Makes the call for a value that the cache lacks: one at a time per key, over threads and replicas. All who wait share a failure, and it is
/// remembered briefly.
/// </summary>
internal sealed class SharedFetch(CredentialCache cache, SingleFlight flights, FailureMemory failures, IOptions<IotCredentialsOptions> options)
{
    private static readonly TimeSpan s_findAgainAfter = TimeSpan.FromMilliseconds(100);

    public bool IsUnderWay(string key) => flights.IsUnderWay(FlightOf(key));

    /// <param name="key">The cache key.</param>
    /// <param name="find">Finds a value that will do in the cache.</param>
    /// <param name="call">Makes the call, and writes its value into the cache.</param>
    /// <exception cref="VendingException">The call failed, or did lately.</exception>
    public Task<Fetched<T>> RunAsync<T>(string key, Func<Task<T?>> find, Func<Task<T>> call) where T : class =>
        flights.JoinAsync(FlightOf(key), () => failures.GuardAsync(key, async () =>
        {
            // Half of the time, so that the other half is left for the call.
            await using var held = await cache.LockAsync(key, options.Value.WorkTimeout / 2, async () => await find() is not null);
            if (await find() is { } found) return new Fetched<T>(found, IsNew: false);
            return held is { IsHeld: false } ? await CallBesideAsync(find, call()) : new(await call(), IsNew: true);
        }));

    // Another replica is still at it: whichever value is there first will do.
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
