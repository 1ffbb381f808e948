namespace IotCredentials.Aws;

/// <summary>
/// A queue that is round-robin over callers and, within a caller, over its organizations. A caller that floods it delays only itself. Not thread-safe.
/// </summary>
internal sealed class FairQueue<T> where T : class
{
    private readonly Ring<string, Ring<string, Queue<T>>> _callers = new();

    public int Count { get; private set; }

    public void Enqueue(string caller, string organization, T item)
    {
        _callers.GetOrAdd(caller).GetOrAdd(organization).Enqueue(item);
        Count++;
    }

    /// <summary>The next item that can be taken. An item that cannot be taken is dropped, and its caller does not lose its place.</summary>
    public T? Dequeue(Func<T, bool>? take = null)
    {
        T? taken = null;
        while (taken is null && _callers.TryNext(out var caller, out var organizations))
        {
            while (taken is null && organizations.TryNext(out var organization, out var items))
            {
                while (taken is null && items.TryDequeue(out var item))
                {
                    Count--;
                    if (take?.Invoke(item) != false) taken = item;
                }

                // The remaining items go to the end of their ring.
                if (items.Count > 0) organizations.Return(organization, items);
            }

            if (organizations.Count > 0) _callers.Return(caller, organizations);
        }

        return taken;
    }

    /// <summary>Values in round-robin order.</summary>
    private sealed class Ring<TKey, TValue> where TKey : notnull where TValue : class, new()
    {
        private readonly Dictionary<TKey, TValue> _values = [];
        private readonly Queue<TKey> _order = new();

        public int Count => _values.Count;

        public TValue GetOrAdd(TKey key)
        {
            if (_values.TryGetValue(key, out var value)) return value;
            value = new TValue();
            Return(key, value);
            return value;
        }

        public bool TryNext(
            [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TKey key,
            [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out TValue value)
        {
            value = null;
            return _order.TryDequeue(out key) && _values.Remove(key, out value);
        }

        public void Return(TKey key, TValue value)
        {
            _values.Add(key, value);
            _order.Enqueue(key);
        }
    }
}
