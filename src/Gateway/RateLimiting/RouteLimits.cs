using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.Edge;
using Gateway.Forwarding;
using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Http;
using Yarp.ReverseProxy.Model;

namespace Gateway.RateLimiting;

/// <summary>
/// Counts each request against the limit of its route, which it reads from the matched endpoint, so that both always belong to the same configuration. The
/// framework's middleware would do it by policies that cannot change after start, measure them under one name, and keep to itself what is left of a limit.
/// </summary>
internal sealed class RouteLimits : IDisposable
{
    private static readonly Func<object, Task> s_describe = DescribeAsync;

    private readonly InProcessLimiterFactory _local;
    private readonly RedisRateLimiterFallback _shared;
    private readonly GatewayMetrics _metrics;
    private readonly PartitionedRateLimiter<HttpContext> _limiter;

    public RouteLimits(InProcessLimiterFactory local, RedisRateLimiterFallback shared, GatewayMetrics metrics)
    {
        (_local, _shared, _metrics) = (local, shared, metrics);
        _limiter = PartitionedRateLimiter.Create<HttpContext, LimitKey>(PartitionOf);
    }

    public Task InvokeAsync(HttpContext context, RequestDelegate next) => LimitOf(context) is { } limit ? CountAsync(context, limit, next) : next(context);

    public void Dispose() => _limiter.Dispose();

    private static RouteLimitMetadata? LimitOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RouteLimitMetadata>();

    private async Task CountAsync(HttpContext context, RouteLimitMetadata limit, RequestDelegate next)
    {
        using var lease = await _limiter.AcquireAsync(context, permitCount: 1, CancellationToken.None);
        _metrics.LimitChecked(limit.Name, lease.IsAcquired);
        var counted = lease as CountedLease;
        var state = (lease.IsAcquired ? counted?.Remaining : 0) is { } remaining ? limit.State(remaining, counted?.More) : null;
        context.Response.OnStarting(s_describe, new Description(context.Response, limit.Policy, state));
        if (lease.IsAcquired)
        {
            await next(context);
            return;
        }

        // A concurrency limit has no time to report: a permit is free when any request ends.
        ErrorResponse.SetRetryAfter(context.Response, counted?.More ?? TimeSpan.Zero);
        await ErrorResponse.WriteAsync(context, StatusCodes.Status429TooManyRequests, GatewayReason.LimitPrefix + limit.Name);
    }

    // When the response starts, because a retry clears earlier headers. A service may have limits of its own: its items come first in the same list.
    private static Task DescribeAsync(object state)
    {
        var (response, policy, left) = (Description)state;
        response.Headers.Append("RateLimit-Policy", policy);
        if (left is not null) response.Headers.Append("RateLimit", left);
        return Task.CompletedTask;
    }

    private RateLimitPartition<LimitKey> PartitionOf(HttpContext context)
    {
        var limit = LimitOf(context)!;
        var key = new LimitKey(limit.Name, limit.Options, Caller(context, limit.Options.PartitionBy));
        return limit.Options.Store == RateLimitStore.Redis ? _shared.Partition(key) : _local.Partition(key);
    }

    private static string Caller(HttpContext context, RateLimitPartitionKey by) => by switch
    {
        // Partition by organization only if membership is proven. Otherwise a caller could use up another organization's limit, or escape its own by naming
        // others.
        RateLimitPartitionKey.Organization when context.GetEndpoint()?.Metadata.GetMetadata<MembershipProven>() is not null
            && context.GetRouteValue(RouteOrganization.Parameter) is string organization => organization,
        RateLimitPartitionKey.ClientIp => ClientAddress.Of(context),
        RateLimitPartitionKey.Route => context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId ?? "",
        _ => CallerKey.Of(context),
    };

    private sealed record Description(HttpResponse Response, string Policy, string? State);
}

/// <summary>Adds the limits that routes name in <c>RateLimiterPolicy</c>.</summary>
internal static class RouteLimitsExtensions
{
    public static void AddRouteLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<InProcessLimiterFactory>();
        builder.Services.AddSingleton<RedisRateLimiterFallback>();
        builder.Services.AddSingleton<RouteLimits>();
    }

    public static void UseRouteLimits(this IApplicationBuilder app) => app.Use(app.ApplicationServices.GetRequiredService<RouteLimits>().InvokeAsync);
}
