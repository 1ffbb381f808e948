using Gateway.Configuration;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Gateway.Edge;

/// <summary>
/// Limits upgraded connections, such as WebSockets, over HTTP/1.1 and HTTP/2 together: all of them by <c>Kestrel:Limits:MaxConcurrentUpgradedConnections</c>,
/// which Kestrel itself applies to HTTP/1.1 only, and those of one caller by <c>Edge:UpgradesPerCaller</c>.
/// </summary>
internal sealed class UpgradeLimits
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byCaller = new(StringComparer.Ordinal);
    private readonly GatewayMetrics _metrics;
    private readonly long _most;
    private readonly int _mostOfACaller;
    private int _count;

    public UpgradeLimits(GatewayOptions options, IOptions<KestrelServerOptions> kestrel, GatewayMetrics metrics)
    {
        _most = kestrel.Value.Limits.MaxConcurrentUpgradedConnections ?? long.MaxValue;
        _mostOfACaller = options.Edge.UpgradesPerCaller;
        _metrics = metrics;
        metrics.ObserveUpgrades(() => _count);
    }

    /// <summary>
    /// Whether a request switches to another protocol if the service agrees. YARP forwards such a request for WebSockets and SPDY only. Kestrel calls each
    /// request without a body upgradable whose <c>Connection</c> has <c>upgrade</c>: proxies and HTTP clients send that with ordinary requests too.
    /// </summary>
    public static bool IsUpgrade(HttpContext context) =>
        context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || (context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true } && context.Request.Headers.Upgrade.ToString() is var protocol
            && (protocol.Equals("websocket", StringComparison.OrdinalIgnoreCase) || protocol.StartsWith("SPDY/", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Counts the connection from before the request is forwarded until the connection has ended.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var caller = CallerKey.Of(context);
        if (Enter(caller) is { } refusal)
        {
            _metrics.UpgradeRefused(isOfCaller: refusal == StatusCodes.Status429TooManyRequests);
            ErrorResponse.SetRetryAfter(context.Response, TimeSpan.Zero);
            await ErrorResponse.WriteAsync(context, refusal, GatewayReason.Upgrades);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            Leave(caller);
        }
    }

    private int? Enter(string caller)
    {
        lock (_lock)
        {
            var ofCaller = _byCaller.GetValueOrDefault(caller);
            if (ofCaller >= _mostOfACaller) return StatusCodes.Status429TooManyRequests;
            if (_count >= _most) return StatusCodes.Status503ServiceUnavailable;
            _byCaller[caller] = ofCaller + 1;
            _count++;
            return null;
        }
    }

    private void Leave(string caller)
    {
        lock (_lock)
        {
            _count--;
            if (--_byCaller[caller] == 0) _byCaller.Remove(caller);
        }
    }
}

/// <summary>Adds the limits on upgraded connections.</summary>
internal static class UpgradeLimitsExtensions
{
    public static void UseUpgradeLimits(this IApplicationBuilder app)
    {
        var limits = app.ApplicationServices.GetRequiredService<UpgradeLimits>();
        app.Use((context, next) => UpgradeLimits.IsUpgrade(context) ? limits.InvokeAsync(context, next) : next(context));
    }
}
