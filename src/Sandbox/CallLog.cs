namespace Sandbox;

/// <summary>The requests that a server received, in order of arrival. Safe to read, wait on and clear from any thread.</summary>
/// <typeparam name="T">One request or call.</typeparam>
public sealed class CallLog<T>
{
    // Far longer than a slow machine needs. If a wait fails, it must report that and not block the test run.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly List<T> _entries = [];
    private TaskCompletionSource _added = NewSignal();

    /// <summary>A copy of all entries since the start or the last <see cref="Clear"/>.</summary>
    /// <returns>The entries, oldest first.</returns>
    public IReadOnlyList<T> Snapshot()
    {
        lock (_lock) return [.. _entries];
    }

    /// <summary>Removes all entries.</summary>
    public void Clear()
    {
        lock (_lock) _entries.Clear();
    }

    /// <summary>The number of entries.</summary>
    /// <param name="predicate">Selects the entries to count. Default: all.</param>
    /// <returns>The count.</returns>
    public int Count(Func<T, bool>? predicate = null)
    {
        lock (_lock) return predicate is null ? _entries.Count : _entries.Count(predicate);
    }

    /// <summary>Waits until enough entries have arrived; existing ones count. For tests, which must not sleep.</summary>
    /// <param name="predicate">Selects the entries to wait for.</param>
    /// <param name="count">The number of entries to wait for.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TimeoutException">They did not arrive within two minutes.</exception>
    /// <returns>The first <paramref name="count"/> entries that match.</returns>
    public async Task<IReadOnlyList<T>> WaitForAsync(Func<T, bool> predicate, int count = 1, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task added;
            lock (_lock)
            {
                var matches = _entries.Where(predicate).Take(count).ToList();
                if (matches.Count >= count) return matches;
                added = _added.Task;
            }

            await added.WaitAsync(s_limit, cancellationToken);
        }
    }

    internal void Add(T entry)
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            _entries.Add(entry);
            added = _added;
            _added = NewSignal();
        }

        added.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
