namespace Gateway.Recording;

/// <summary>The last entries of a kind.</summary>
/// <param name="capacity">How many are kept.</param>
internal sealed class Ring<T>(int capacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<T> _entries = new();

    public void Add(T entry)
    {
        lock (_lock)
        {
            if (_entries.Count == capacity) _entries.Dequeue();
            _entries.Enqueue(entry);
        }
    }

    /// <summary>The entries, the newest first.</summary>
    public IReadOnlyList<T> Newest()
    {
        lock (_lock) return [.. _entries.Reverse()];
    }
}

/// <summary>Texts of requests, which can be of any length.</summary>
internal static class KeptText
{
    /// <summary>The beginning of a text, so that what is kept has a bound in bytes.</summary>
    public static string Of(ReadOnlySpan<char> text, int most) => text.Length <= most ? text.ToString() : string.Concat(text[..most], "…");
}
