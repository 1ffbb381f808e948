using System.Threading.RateLimiting;

namespace Gateway.RateLimiting;

/// <summary>A bucket of permits. A part of them is refilled once per period, up to the limit.</summary>
internal sealed class BucketLimiter(TokenBucketRateLimiterOptions options, TimeProvider time) : TimedLimiter(time)
{
    private long _tokens = options.TokenLimit;
    private TimeSpan _refilledAt;

    protected override long Remaining => _tokens;

    protected override TimeSpan MoreAt => _refilledAt + options.ReplenishmentPeriod;

    protected override bool Take(int permits, TimeSpan now)
    {
        var periods = (now - _refilledAt).Ticks / options.ReplenishmentPeriod.Ticks;
        _refilledAt += periods * options.ReplenishmentPeriod;
        _tokens = periods >= PeriodsToFill() ? options.TokenLimit : _tokens + (periods * options.TokensPerPeriod);
        if (_tokens < Math.Max(permits, 1)) return false;
        _tokens -= permits;
        AllThereAt = _refilledAt + (PeriodsToFill() * options.ReplenishmentPeriod);
        return true;
    }

    private long PeriodsToFill() => (options.TokenLimit - _tokens + options.TokensPerPeriod - 1) / options.TokensPerPeriod;
}
