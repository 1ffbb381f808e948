using System.Globalization;
using System.Threading.RateLimiting;
using CredentialModule.Http;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Edge;
using Microsoft.AspNetCore.RateLimiting;
using RedisRateLimiting;
using Yarp.ReverseProxy.Model;

namespace Gateway.RateLimiting;

/// <summary>One policy for every route. It reads a route's limit where the route was matched, so that the two are always of the same configuration.</summary>
internal sealed class RouteRateLimits(SharedLimits shared) : IRateLimiterPolicy<LimitKey>
{
    public Func<OnRejectedContext, CancellationToken, ValueTask> OnRejected { get; } = static (rejected, _) =>
    {
        // Redis's limiters say it in whole seconds, of which the last has begun.
        var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? Math.Ceiling(retryAfter.TotalSeconds)
            : rejected.Lease.TryGetMetadata(RateLimitMetadataName.RetryAfter, out var seconds) ? seconds + 1
            : 1;
        rejected.HttpContext.Response.Headers.RetryAfter = Math.Max(wait, 1).ToString(CultureInfo.InvariantCulture);
        return new ValueTask(ErrorAnswer.WriteAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests));
    };

    public RateLimitPartition<LimitKey> GetPartition(HttpContext httpContext)
    {
        if (httpContext.GetEndpoint()?.Metadata.GetMetadata<RouteLimit>() is not { } limit) return RateLimitPartition.GetNoLimiter(default(LimitKey));
        var key = new LimitKey(limit.Name, limit.Options, Partition(httpContext, limit.Options.PartitionBy));
        return limit.Options.Store == RateLimitStore.Redis ? shared.Partition(key) : LocalLimits.Partition(key);
    }

    private static string Partition(HttpContext context, RateLimitPartitionKey by) => by switch
    {
        RateLimitPartitionKey.Organization when context.GetRouteValue(RouteOrganization.Parameter) is string organization => organization,
        RateLimitPartitionKey.ClientIp => ClientAddress.Of(context),
        RateLimitPartitionKey.Route => context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId ?? "",
        // An issuer holds no line feed, so that no two callers have one key.
        _ => CallerIdentity.Of(context.User) is { } caller ? $"{caller.Issuer}\n{caller.Subject}" : ClientAddress.Of(context),
    };
}
