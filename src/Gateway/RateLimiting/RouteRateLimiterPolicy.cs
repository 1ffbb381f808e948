using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.Edge;
using Gateway.Errors;
using Gateway.Forwarding;
using Gateway.Networking;
using IotCredentials.Http;
using Microsoft.AspNetCore.RateLimiting;
using Yarp.ReverseProxy.Model;

namespace Gateway.RateLimiting;

/// <summary>One policy for every route. It reads the limit from the matched route, so that both always belong to the same configuration.</summary>
internal sealed class RouteRateLimiterPolicy(InProcessLimiterFactory local, RedisRateLimiterFallback shared) : IRateLimiterPolicy<LimitKey>
{
    public Func<OnRejectedContext, CancellationToken, ValueTask> OnRejected { get; } = static (rejected, _) =>
    {
        // A concurrency limit has no time to report: a permit is free when any request ends.
        RetryAfter.Set(rejected.HttpContext.Response, rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.Zero);
        var limit = rejected.HttpContext.GetEndpoint()?.Metadata.GetMetadata<RouteLimitMetadata>()?.Name;
        return new ValueTask(ErrorResponse.WriteAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, $"limit:{limit}"));
    };

    public RateLimitPartition<LimitKey> GetPartition(HttpContext httpContext)
    {
        if (httpContext.GetEndpoint()?.Metadata.GetMetadata<RouteLimitMetadata>() is not { } limit) return RateLimitPartition.GetNoLimiter(default(LimitKey));
        var key = new LimitKey(limit.Name, limit.Options, Partition(httpContext, limit.Options.PartitionBy));
        return limit.Options.Store == RateLimitStore.Redis ? shared.Partition(key) : local.Partition(key);
    }

    private static string Partition(HttpContext context, RateLimitPartitionKey by) => by switch
    {
        // Partition by organization only if membership is proven. Otherwise a caller could use up another organization's limit, or escape its own by naming
        // others.
        RateLimitPartitionKey.Organization when context.GetEndpoint()?.Metadata.GetMetadata<MembershipProven>() is not null
            && context.GetRouteValue(RouteOrganization.Parameter) is string organization => organization,
        RateLimitPartitionKey.ClientIp => ClientAddress.Of(context),
        RateLimitPartitionKey.Route => context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId ?? "",
        _ => CallerKey.Of(context),
    };
}
