using IotCredentials;
using IotCredentials.Aws;
using IotCredentials.Redis;
using IotCredentials.Vending;

namespace Scale;

/// <summary>A region of the model: its load, its configuration, and what AWS allows. Times are in seconds.</summary>
internal sealed record Setting
{
    private static readonly IotCredentialsOptions s_shipped = new();

    public required int Organizations { get; init; }

    public required int Replicas { get; init; }

    /// <summary>The clients of an organization. Each fetches credentials, and again before they expire.</summary>
    public int Clients { get; init; } = 3;

    /// <summary>How long before the end clients fetch the next credentials, at the earliest and at the latest: as in the samples.</summary>
    public (double Earliest, double Latest) RefreshAhead { get; init; } = (600, 300);

    public double PermitsPerSecond { get; init; } = s_shipped.Sts.PermitsPerSecond;

    public int MaxConcurrent { get; init; } = s_shipped.Sts.MaxConcurrent;

    public int MaxEntries { get; init; } = s_shipped.Cache.MaxEntries;

    public double Session { get; init; } = ProfileOptions.DefaultSessionDuration.TotalSeconds;

    public double Minimum { get; init; } = ProfileOptions.DefaultMinimumLifetime.TotalSeconds;

    public double RefreshAfter { get; init; } = ProfileOptions.DefaultRefreshAfter.TotalSeconds;

    public double WorkTimeout { get; init; } = s_shipped.WorkTimeout.TotalSeconds;

    public double CallTimeout { get; init; } = s_shipped.CallTimeout.TotalSeconds;

    /// <summary>The requests that STS accepts per second, which is what its bucket holds.</summary>
    public double Quota { get; init; } = Parameters.StsQuota;

    public double StsLatency { get; init; } = 0.1;

    /// <summary>The step of simulated time.</summary>
    public double Step { get; init; } = 0.1;

    /// <summary>The time from which STS fails, and from which it works again.</summary>
    public (double From, double To) StsOutage { get; init; }

    /// <summary>The time from which Redis fails, and from which it works again.</summary>
    public (double From, double To) RedisOutage { get; init; }

    /// <summary>
    /// The region with one organization of <paramref name="each"/>: organizations do not affect each other but by what they share, which is made smaller alike.
    /// The number of replicas stays, because a request finds an organization in a replica's memory the less often the more replicas there are.
    /// </summary>
    public Setting Sample(int each) => this with
    {
        Organizations = Organizations / each,
        PermitsPerSecond = PermitsPerSecond / each,
        MaxConcurrent = Math.Max(1, MaxConcurrent / each),
        MaxEntries = MaxEntries / each,
        Quota = Quota / each,
    };

    /// <summary>Whether Redis is empty after its outage.</summary>
    public bool RedisLosesData { get; init; }

    /// <summary>The time at which all replicas restart; their memory is empty then.</summary>
    public double Restart { get; init; } = double.PositiveInfinity;
}

/// <summary>The figures that are neither of a region nor the product's own.</summary>
internal static class Parameters
{
    /// <summary>AWS documents 600 requests per second for each account and region, over most operations of STS.</summary>
    public const double StsQuota = 600;

    /// <summary>Measured by <c>--measure</c>: the commands that Redis counts (INFO commandstats) for HMGET.</summary>
    public const double CommandsPerRead = 1;

    /// <summary>The same for HMSET, EXPIRE.</summary>
    public const double CommandsPerWrite = 2;

    /// <summary>The same for SET.</summary>
    public const double CommandsPerLock = 1;

    /// <summary>The same for WATCH, GET, MULTI, UNLINK, EXEC. An extension has PEXPIRE in place of UNLINK.</summary>
    public const double CommandsPerRelease = 5;

    /// <summary>Measured by <c>--measure</c>: MEMORY USAGE of an entry.</summary>
    public const double BytesPerEntry = 1960;

    /// <summary>Measured by <c>benchmarks/Vending</c>: the growth of a gateway's heap per organization in its memory.</summary>
    public const double BytesInProcess = 2441;

    /// <summary>Measured by <c>--measure</c>: what a SCAN of a page of an invalidation sends, and how long it takes redis-server.</summary>
    public const double BytesPerScan = 140_800;

    public const double SecondsPerScan = 0.00094;

    /// <summary>A replica that waits for a lock asks for it, reads the entry and the lock's time to live, and waits 20 to 60 ms.</summary>
    public const double CommandsPerLockPoll = CommandsPerLock + CommandsPerRead + 1;

    public const double LockPollInterval = 0.042;

    public static double ClockTolerance { get; } = CredentialVendor.ClockTolerance.TotalSeconds;

    public static double LeastBetweenVends { get; } = CredentialVendor.LeastBetweenVends.TotalSeconds;

    public static double ShortestRemaining { get; } = LifetimeRequirement.ShortestRemaining.TotalSeconds;

    public static double LockExtension { get; } = RedisLock.ExtendEvery.TotalSeconds;

    public static double LargestSpread => CredentialVendor.LargestSpread;

    public static int Attempts => AwsClients.Attempts;
}
