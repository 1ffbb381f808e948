namespace Gateway.Recording;

/// <summary>
/// Counts requests in slots of <see cref="SlotSeconds"/> and keeps the last ones. Adding takes no lock. Memory is bounded: a slot is 200 bytes, whatever
/// it counts.
/// </summary>
/// <param name="slots">The number of slots that are kept.</param>
internal sealed class RequestWindow(int slots)
{
    /// <summary>The length of a slot.</summary>
    public const int SlotSeconds = 10;

    // Upper bounds in milliseconds. Slower requests are counted in one more bucket.
    private static readonly double[] s_bounds = [0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000, 10000, 30000];

    private readonly Slot?[] _slots = new Slot?[slots];

    /// <summary>Counts a request.</summary>
    /// <param name="second">The time, in seconds of any one clock.</param>
    /// <param name="isRefused">Whether the gateway refused it.</param>
    /// <param name="isError">Whether its status is 5xx.</param>
    /// <param name="duration">Its duration; null if that says nothing of the latency, as for an upgraded connection.</param>
    public void Add(long second, bool isRefused = false, bool isError = false, TimeSpan? duration = null)
    {
        var slot = SlotOf(second / SlotSeconds);
        Interlocked.Increment(ref slot.Requests);
        if (isRefused) Interlocked.Increment(ref slot.Refused);
        if (isError) Interlocked.Increment(ref slot.Errors);
        if (duration is { } taken) Interlocked.Increment(ref slot.Buckets[BucketOf(taken.TotalMilliseconds)]);
    }

    /// <summary>The sum of the slots that end within the last <paramref name="count"/>, the one that is still counted included.</summary>
    public RequestCounts Sum(long second, int count)
    {
        var last = second / SlotSeconds;
        var sum = new Slot(last);
        foreach (var slot in _slots)
        {
            if (slot is null || slot.Number > last || slot.Number <= last - count) continue;
            sum.Requests += Volatile.Read(ref slot.Requests);
            sum.Refused += Volatile.Read(ref slot.Refused);
            sum.Errors += Volatile.Read(ref slot.Errors);
            for (var i = 0; i < sum.Buckets.Length; i++) sum.Buckets[i] += Volatile.Read(ref slot.Buckets[i]);
        }

        return new(sum.Requests, sum.Refused, sum.Errors, Quantile(sum, 0.5), Quantile(sum, 0.99));
    }

    private Slot SlotOf(long number)
    {
        ref var place = ref _slots[number % slots];
        while (true)
        {
            var slot = Volatile.Read(ref place);
            if (slot is not null && slot.Number >= number) return slot;
            var next = new Slot(number);
            if (Interlocked.CompareExchange(ref place, next, slot) == slot) return next;
        }
    }

    private static int BucketOf(double milliseconds)
    {
        var index = Array.BinarySearch(s_bounds, milliseconds);
        return index < 0 ? ~index : index;
    }

    // Within a bucket the durations are taken as evenly spread.
    private static double? Quantile(Slot counted, double quantile)
    {
        var total = counted.Buckets.Sum();
        if (total == 0) return null;
        var rank = quantile * total;
        for (var i = 0; ; i++)
        {
            if (i == s_bounds.Length) return s_bounds[^1];
            if (rank > counted.Buckets[i])
            {
                rank -= counted.Buckets[i];
                continue;
            }

            var lower = i == 0 ? 0 : s_bounds[i - 1];
            return Math.Round(lower + ((s_bounds[i] - lower) * rank / counted.Buckets[i]), 2);
        }
    }

    private sealed class Slot(long number)
    {
        public readonly long Number = number;
        public readonly int[] Buckets = new int[s_bounds.Length + 1];
        public int Requests;
        public int Refused;
        public int Errors;
    }
}

/// <summary>What was counted in a time. The latencies are in milliseconds; null if nothing was measured.</summary>
internal sealed record RequestCounts(int Requests, int Refused, int Errors, double? P50, double? P99);
