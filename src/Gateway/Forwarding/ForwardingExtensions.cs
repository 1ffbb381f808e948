using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>The way to a service: what it learns, over which connections, and what becomes of a try that fails.</summary>
internal static class ForwardingExtensions
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    // A service that moved is found again after this time at most, however busy its connections are.
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    public static IReverseProxyBuilder AddForwarding(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddSingleton<ITransformProvider, IdentityHeaders>();
        proxy.Services.AddSingleton<ITransformProvider, Streams>();
        return proxy.ConfigureHttpClient(static (_, handler) =>
        {
            handler.ConnectTimeout = s_connectTimeout;
            handler.PooledConnectionLifetime = s_connectionLifetime;
        });
    }

    /// <summary>YARP's own steps, each try of a request through those from the choice of a destination on.</summary>
    public static void UseForwarding(this IReverseProxyApplicationBuilder pipeline)
    {
        pipeline.UseSessionAffinity();
        pipeline.UseRetries();
        pipeline.UseForwardingErrors();
        pipeline.UseLoadBalancing();
        pipeline.UsePassiveHealthChecks();
    }
}
