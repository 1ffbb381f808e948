using System.Collections.Concurrent;

namespace Gateway.Recording;

/// <summary>
/// Keeps the requests of the last minutes that the gateway refused or failed, so that an operator who has an id of one can ask why. It always keeps them:
/// nobody opens the console before. Memory is bounded, and a flood of one kind does not push out the others: each reason has its own place.
/// </summary>
internal sealed class RefusedRequests(TimeProvider time)
{
    /// <summary>How long a request is kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(15);

    /// <summary>How many requests are kept for each reason.</summary>
    public const int PerReason = 100;

    // Words are few. The names of limits are the operator's.
    private const int MostReasons = 64;

    private readonly ConcurrentDictionary<string, Ring<Entry>> _byReason = new(StringComparer.Ordinal);
    private readonly Ring<Entry> _ofOtherReasons = new(PerReason);
    private int _count;

    // A request that took long, such as a WebSocket, began long before.
    public void Add(RefusedRequest request) => RingOf(request.Reason).Add(new(time.GetUtcNow(), request));

    /// <summary>The requests with a request id or a trace id, the newest first.</summary>
    public IReadOnlyList<RefusedRequest> Find(string id)
    {
        var oldest = time.GetUtcNow() - Kept;
        return [.. _byReason.Values.Append(_ofOtherReasons).SelectMany(static ring => ring.Newest())
            .Where(entry => entry.Added >= oldest && (Is(entry.Request.RequestId) || Is(entry.Request.TraceId)))
            .OrderByDescending(static entry => entry.Added)
            .Select(static entry => entry.Request)];

        bool Is(string? own) => id.Equals(own, StringComparison.OrdinalIgnoreCase);
    }

    private Ring<Entry> RingOf(string reason)
    {
        if (_byReason.TryGetValue(reason, out var known)) return known;
        // The dictionary's own count takes all of its locks.
        if (Volatile.Read(ref _count) >= MostReasons) return _ofOtherReasons;
        var added = new Ring<Entry>(PerReason);
        var kept = _byReason.GetOrAdd(reason, added);
        if (kept == added) Interlocked.Increment(ref _count);
        return kept;
    }

    private readonly record struct Entry(DateTimeOffset Added, RefusedRequest Request);
}
