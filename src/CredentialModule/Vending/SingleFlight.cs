using System.Collections.Concurrent;

namespace CredentialModule.Vending;

/// <summary>One run a key at a time in this process: whoever asks while one is under way gets its outcome, a failure too.</summary>
internal sealed class SingleFlight
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _underWay = new(StringComparer.Ordinal);

    public bool IsUnderWay(string key) => _underWay.ContainsKey(key);

    public Task<T> JoinAsync<T>(string key, Func<Task<T>> run)
    {
        Lazy<Task>? mine = null;
        // Task.Run: nobody who merely joins runs the work on its own thread, and the work never runs inside the dictionary.
        mine = new Lazy<Task>(() => Observed(Task.Run(async () =>
        {
            try
            {
                return await run();
            }
            finally
            {
                // Before the outcome is there: nobody joins what is over.
                _underWay.TryRemove(KeyValuePair.Create(key, mine!));
            }
        })));
        return (Task<T>)_underWay.GetOrAdd(key, mine).Value;
    }

    // Everybody who waited may have gone by the time it fails.
    public static T Observed<T>(T task) where T : Task
    {
        _ = task.ContinueWith(static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return task;
    }
}
