using System.Collections.Concurrent;
using IotCredentials.Failures;

namespace IotCredentials.Fetching;

/// <summary>Runs one task per key at a time in this process. Callers that join a running task share its outcome, including a failure.</summary>
public sealed class SingleFlight
{
    private readonly ConcurrentDictionary<string, Lazy<Task>> _underWay = new(StringComparer.Ordinal);

    /// <summary>Whether a task of this key runs.</summary>
    internal bool IsUnderWay(string key) => _underWay.ContainsKey(key);

    /// <summary>Joins the running task of a key, or runs one.</summary>
    public Task<T> JoinAsync<T>(string key, Func<Task<T>> run)
    {
        Lazy<Task>? mine = null;
        // Task.Run, so that a caller that only joins never runs the work on its own thread, and the work never runs inside the dictionary.
        mine = new Lazy<Task>(() => Task.Run(async () =>
        {
            try
            {
                return await run();
            }
            finally
            {
                // Remove the entry before the task completes, so that no caller joins a finished task.
                _underWay.TryRemove(KeyValuePair.Create(key, mine!));
            }
        }).ObserveException());
        return (Task<T>)_underWay.GetOrAdd(key, mine).Value;
    }
}
