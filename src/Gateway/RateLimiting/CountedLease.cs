using System.Threading.RateLimiting;

namespace Gateway.RateLimiting;

/// <summary>A lease that knows what is left of its limit. It has nothing to release.</summary>
/// <param name="isAcquired">Whether the request may proceed.</param>
/// <param name="remaining">How many permits are left; null if unknown.</param>
/// <param name="more">The time until more permits become available; null if unknown.</param>
internal class CountedLease(bool isAcquired, long? remaining, TimeSpan? more) : RateLimitLease
{
    public override bool IsAcquired => isAcquired;

    public long? Remaining => remaining;

    public TimeSpan? More => more;

    public override IEnumerable<string> MetadataNames => [];

    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        metadata = null;
        return false;
    }
}
