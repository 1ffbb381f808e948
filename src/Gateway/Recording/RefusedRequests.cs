using System.Collections.Concurrent;

namespace Gateway.Recording;

/// <summary>
/// Keeps the requests of the last minutes that the gateway refused or failed, so that an operator who has an id of one can ask why. It always keeps them: nobody
/// opens the console before. Memory is bounded, and a flood of one kind does not push out the others: each reason has its own place.
/// </summary>
internal sealed class RefusedRequests(TimeProvider time)
{
    /// <summary>How long a request is kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(15);

    /// <summary>How many requests are kept for each reason.</summary>
    public const int PerReason = 100;

    // Words are few. The names of limits are the operator's.
    private const int MostReasons = 64;

    private readonly ConcurrentDictionary<string, Ring<RefusedRequest>> _byReason = new(StringComparer.Ordinal);

    public void Add(RefusedRequest request)
    {
        if (!_byReason.TryGetValue(request.Reason, out var ring))
            ring = _byReason.GetOrAdd(_byReason.Count < MostReasons ? request.Reason : "", static _ => new(PerReason));
        ring.Add(request);
    }

    /// <summary>The requests with a request id or a trace id, the newest first.</summary>
    public IReadOnlyList<RefusedRequest> Find(string id)
    {
        var oldest = time.GetUtcNow() - Kept;
        return [.. _byReason.Values.SelectMany(static ring => ring.Newest())
            .Where(request => request.Time >= oldest && (Is(request.RequestId) || Is(request.TraceId)))
            .OrderByDescending(static request => request.Time)];

        bool Is(string? own) => id.Equals(own, StringComparison.OrdinalIgnoreCase);
    }
}
