using System.Threading.RateLimiting;
using Gateway.Configuration;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>What Redis said of a request.</summary>
internal abstract class SharedLease : RateLimitLease
{
    // A replica that dies keeps its part of a Concurrency limit for this long; one that lives extends its leases.
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(15);

    private static readonly SharedLease s_counted = new Counted();

    public override IEnumerable<string> MetadataNames => [];

    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        metadata = null;
        return false;
    }

    /// <exception cref="RedisException">Redis did not take the count.</exception>
    /// <exception cref="TimeoutException">Redis did not answer.</exception>
    public static async Task<RateLimitLease> TakeAsync(IDatabase redis, RedisKey key, RateLimitPolicyOptions limit)
    {
        var isHeld = limit.Algorithm == RateLimitAlgorithm.Concurrency;
        var held = isHeld ? new Held(redis, key) : null;
        try
        {
            var window = (long)Math.Ceiling((isHeld ? Life : limit.Window).TotalMilliseconds);
            var answer = (RedisResult[])(await redis.ScriptEvaluateAsync(LimitScripts.Of(limit.Algorithm), [key], [limit.PermitLimit, window, held?.Name ?? RedisValue.EmptyString]))!;
            if ((int)answer[0] == 1) return held?.Begin() ?? s_counted;
            return new Refused(TimeSpan.FromMilliseconds((long)answer[1]));
        }
        catch (Exception)
        {
            // Redis may have heard it and been too late to say so.
            held?.Dispose();
            throw;
        }
    }

    private sealed class Counted : SharedLease
    {
        public override bool IsAcquired => true;
    }

    public sealed class Refused(TimeSpan retryAfter) : SharedLease
    {
        public override bool IsAcquired => false;

        public override IEnumerable<string> MetadataNames => [MetadataName.RetryAfter.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = retryAfter;
            return metadataName == MetadataName.RetryAfter.Name;
        }
    }

    /// <summary>A request in flight: given back when it ends, or by itself soon after its replica did.</summary>
    private sealed class Held(IDatabase redis, RedisKey key) : SharedLease
    {
        private Timer? _extending;
        private int _isGivenBack;

        public RedisValue Name { get; } = Guid.NewGuid().ToString("N");

        public override bool IsAcquired => true;

        public Held Begin()
        {
            _extending = new Timer(static lease => _ = ((Held)lease!).ExtendAsync(), this, Life / 3, Life / 3);
            return this;
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _isGivenBack, 1) != 0) return;
            _extending?.Dispose();
            _ = GiveBackAsync();
        }

        private Task ExtendAsync() => TryAsync(() => redis.ScriptEvaluateAsync(LimitScripts.Extend, [key], [RedisValue.EmptyString, (long)Life.TotalMilliseconds, Name]));

        private Task GiveBackAsync() => TryAsync(() => redis.SortedSetRemoveAsync(key, Name));

        private static async Task TryAsync(Func<Task> tell)
        {
            try
            {
                await tell();
            }
            catch (Exception)
            {
                // Nobody waits for Redis here: what it was not told of ends by itself.
            }
        }
    }
}
