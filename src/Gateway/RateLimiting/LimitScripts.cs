using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>
/// The algorithms as Redis runs them, each in one step over one key, by Redis's own clock: replicas need not agree on the time. A key ends by
/// itself when it says nothing any more.
/// <para>
/// <c>ARGV</c>: the limit, the window in milliseconds, the lease's name. Each returns whether the request is let through and, when it is not,
/// the milliseconds to wait.
/// </para>
/// </summary>
internal static class LimitScripts
{
    /// <summary>Sets a lease's end anew, unless it was given back or is over.</summary>
    public const string Extend = Now + """
        redis.call('ZADD', KEYS[1], 'XX', string.format('%.0f', now + ARGV[2]), ARGV[3])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        """;

    private const string Now = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        """;

    private const string FixedWindow = """
        local taken = redis.call('INCR', KEYS[1])
        if taken == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        if taken <= tonumber(ARGV[1]) then return {1, 0} end
        return {0, redis.call('PTTL', KEYS[1])}
        """;

    // As many segments as LocalLimits has, each a field of the hash.
    private const string SlidingWindow = Now + """
        local segments = 10
        local length = ARGV[2] / segments
        local segment = math.floor(now / length)
        local taken, oldest = 0, segment
        local counts = redis.call('HGETALL', KEYS[1])
        for i = 1, #counts, 2 do
            local counted = tonumber(counts[i])
            if counted <= segment - segments then
                redis.call('HDEL', KEYS[1], counts[i])
            else
                taken = taken + tonumber(counts[i + 1])
                oldest = math.min(oldest, counted)
            end
        end
        if taken >= tonumber(ARGV[1]) then return {0, math.ceil((oldest + segments) * length - now)} end
        redis.call('HINCRBY', KEYS[1], string.format('%.0f', segment), 1)
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return {1, 0}
        """;

    // What is refused is not written, so that no rounding adds up.
    private const string TokenBucket = Now + """
        local limit = tonumber(ARGV[1])
        local bucket = redis.call('HMGET', KEYS[1], 'permits', 'at')
        local filled = math.max(0, now - (tonumber(bucket[2]) or now)) * limit / ARGV[2]
        local permits = math.min(limit, (tonumber(bucket[1]) or limit) + filled)
        if permits < 1 then return {0, math.ceil((1 - permits) * ARGV[2] / limit)} end
        redis.call('HSET', KEYS[1], 'permits', string.format('%.9f', permits - 1), 'at', string.format('%.0f', now))
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return {1, 0}
        """;

    // The window is how long a lease lives unless it is extended.
    private const string Concurrency = Now + """
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
        if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return {0, 0} end
        redis.call('ZADD', KEYS[1], string.format('%.0f', now + ARGV[2]), ARGV[3])
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        return {1, 0}
        """;

    public static string Of(RateLimitAlgorithm algorithm) => algorithm switch
    {
        RateLimitAlgorithm.FixedWindow => FixedWindow,
        RateLimitAlgorithm.SlidingWindow => SlidingWindow,
        RateLimitAlgorithm.TokenBucket => TokenBucket,
        RateLimitAlgorithm.Concurrency => Concurrency,
        _ => throw new ArgumentOutOfRangeException(nameof(algorithm), algorithm, "unknown algorithm"),
    };
}
