using System.Globalization;
using System.Threading.RateLimiting;
using CredentialModule.Http;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Edge;
using Yarp.ReverseProxy.Model;

namespace Gateway.RateLimiting;

/// <summary>The limits that routes name in <c>RateLimiterPolicy</c>.</summary>
internal static class RateLimits
{
    private const int SegmentsOfAWindow = 10;

    public static void AddRateLimits(this WebApplicationBuilder builder, GatewayOptions options) =>
        builder.Services.AddRateLimiter(limiter =>
        {
            foreach (var (name, policy) in options.RateLimiting.Policies) limiter.AddPolicy(name, context => Partition(context, policy));
            limiter.OnRejected = static (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? Math.Ceiling(retryAfter.TotalSeconds) : 1;
                rejected.HttpContext.Response.Headers.RetryAfter = Math.Max(wait, 1).ToString(CultureInfo.InvariantCulture);
                return new ValueTask(ErrorAnswer.WriteAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests));
            };
        });

    private static RateLimitPartition<string> Partition(HttpContext context, RateLimitPolicyOptions policy)
    {
        var key = Key(context, policy.PartitionBy);
        return policy.Algorithm switch
        {
            RateLimitAlgorithm.FixedWindow => RateLimitPartition.GetFixedWindowLimiter(key, _ => new()
            {
                PermitLimit = policy.PermitLimit,
                Window = policy.Window,
            }),
            RateLimitAlgorithm.SlidingWindow => RateLimitPartition.GetSlidingWindowLimiter(key, _ => new()
            {
                PermitLimit = policy.PermitLimit,
                Window = policy.Window,
                SegmentsPerWindow = SegmentsOfAWindow,
            }),
            RateLimitAlgorithm.TokenBucket => RateLimitPartition.GetTokenBucketLimiter(key, _ => Bucket(policy)),
            RateLimitAlgorithm.Concurrency => RateLimitPartition.GetConcurrencyLimiter(key, _ => new() { PermitLimit = policy.PermitLimit }),
            _ => throw new ArgumentOutOfRangeException(nameof(policy), policy.Algorithm, "unknown algorithm"),
        };
    }

    private static TokenBucketRateLimiterOptions Bucket(RateLimitPolicyOptions policy)
    {
        // Evenly over the window: in the most steps, up to the segments, that divide the limit.
        var steps = Enumerable.Range(1, SegmentsOfAWindow).Last(steps => policy.PermitLimit % steps == 0);
        return new() { TokenLimit = policy.PermitLimit, TokensPerPeriod = policy.PermitLimit / steps, ReplenishmentPeriod = policy.Window / steps };
    }

    private static string Key(HttpContext context, RateLimitPartitionKey by) => by switch
    {
        RateLimitPartitionKey.Organization when context.GetRouteValue(RouteOrganization.Parameter) is string organization => organization,
        RateLimitPartitionKey.ClientIp => ClientAddress.Of(context),
        RateLimitPartitionKey.Route => context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId ?? "",
        // An issuer holds no line feed, so that no two callers have one key.
        _ => CallerIdentity.Of(context.User) is { } caller ? $"{caller.Issuer}\n{caller.Subject}" : ClientAddress.Of(context),
    };
}
