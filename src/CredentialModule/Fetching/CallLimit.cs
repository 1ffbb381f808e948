using System.Collections.Concurrent;

namespace IotCredentials.Fetching;

/// <summary>Limits how many calls for one caller are under way, so that one caller does not take all calls.</summary>
/// <param name="most">The maximum number of concurrent calls for one caller.</param>
public sealed class CallLimit(int most)
{
    private readonly ConcurrentDictionary<string, int> _running = new(StringComparer.Ordinal);

    /// <summary>Begins a call, which <see cref="End"/> ends. False if the caller has as many calls under way as it may.</summary>
    public bool TryBegin(string caller)
    {
        if (_running.AddOrUpdate(caller, 1, static (_, count) => count + 1) <= most) return true;
        End(caller);
        return false;
    }

    /// <summary>Ends a call that has begun.</summary>
    public void End(string caller)
    {
        if (_running.AddOrUpdate(caller, 0, static (_, count) => count - 1) == 0) _running.TryRemove(KeyValuePair.Create(caller, 0));
    }
}
