namespace Scale;

/// <summary>What was counted in a span of simulated time.</summary>
internal struct Counts
{
    public long Requests;
    public long FromMemory;
    public long FromRedis;
    public long AfterCall;
    public long Degraded;
    public long Failed;
    public long StsRequests;
    public long StsThrottled;
    public long Vends;
    public long Reads;
    public long Writes;
    public long Locks;
    public long Releases;
    public double Polls;
    public double Extensions;
    public int LongestQueue;
    public int MostInMemory;
    public int InRedis;

    public readonly double Commands =>
        (Reads * Parameters.CommandsPerRead) + (Writes * Parameters.CommandsPerWrite) + (Locks * Parameters.CommandsPerLock)
            + ((Releases + Extensions) * Parameters.CommandsPerRelease) + (Polls * Parameters.CommandsPerLockPoll);

    /// <summary>The counts of a region of which one organization of <paramref name="each"/> was simulated.</summary>
    public readonly Counts Times(int each)
    {
        var all = default(Counts);
        for (var i = 0; i < each; i++) all.Add(this);
        (all.LongestQueue, all.MostInMemory, all.InRedis) = (LongestQueue * each, MostInMemory * each, InRedis * each);
        return all;
    }

    public void Add(in Counts other)
    {
        Requests += other.Requests;
        FromMemory += other.FromMemory;
        FromRedis += other.FromRedis;
        AfterCall += other.AfterCall;
        Degraded += other.Degraded;
        Failed += other.Failed;
        StsRequests += other.StsRequests;
        StsThrottled += other.StsThrottled;
        Vends += other.Vends;
        Reads += other.Reads;
        Writes += other.Writes;
        Locks += other.Locks;
        Releases += other.Releases;
        Polls += other.Polls;
        Extensions += other.Extensions;
        LongestQueue = Math.Max(LongestQueue, other.LongestQueue);
        MostInMemory = Math.Max(MostInMemory, other.MostInMemory);
        InRedis = Math.Max(InRedis, other.InRedis);
    }
}
