using System.Collections.Concurrent;

namespace CredentialModule.Vending;

/// <summary>One run a key at a time in this process: whoever asks while one is under way gets its outcome, a failure too.</summary>
internal sealed class SingleFlight
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _underWay = new(StringComparer.Ordinal);

    public bool IsUnderWay(string key) => _underWay.ContainsKey(key);

    public Task<T> JoinAsync<T>(string key, Func<Task<T>> run)
    {
        // Task.Run: nobody who merely joins runs the work on its own thread, and the work never runs inside the dictionary.
        var mine = new Lazy<Task>(() => Task.Run(run));
        var shared = _underWay.GetOrAdd(key, mine);
        if (ReferenceEquals(shared, mine))
        {
            _ = mine.Value.ContinueWith(
                (_, entry) => _underWay.TryRemove((KeyValuePair<string, Lazy<Task>>)entry!),
                KeyValuePair.Create(key, mine), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return (Task<T>)shared.Value;
    }
}
