using System.Diagnostics;
using System.Net;
using Gateway.Configuration;
using Gateway.Networking;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Edge;

/// <summary>The trace that a client names in its request.</summary>
internal sealed record ClientTrace(ActivityContext Context);

/// <summary>
/// Removes the trace context from requests before ASP.NET Core starts their trace. Otherwise a client would choose the trace id of its request in the logs, and
/// whether the request is recorded. The gateway's span links to the client's trace instead. A proxy in <c>Edge:TrustedProxies</c> is trusted: its span becomes
/// the parent.
/// </summary>
/// <remarks>This wraps the server because the trace has already started when the first middleware runs.</remarks>
internal sealed class TraceBoundary(IServer server, GatewayOptions options) : IServer
{
    private readonly IReadOnlyList<IPNetwork> _trusted = TrustedProxies.NetworksOf(options);

    public IFeatureCollection Features => server.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull =>
        server.StartAsync(new Application<TContext>(application, this), cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => server.StopAsync(cancellationToken);

    public void Dispose() => server.Dispose();

    private void Enter(IFeatureCollection request)
    {
        var headers = request.GetRequiredFeature<IHttpRequestFeature>().Headers;
        if (headers.TraceParent.Count + headers.TraceState.Count == 0) return;
        if (AddressList.Contains(_trusted, request.Get<IHttpConnectionFeature>()?.RemoteIpAddress)) return;
        if (ActivityContext.TryParse(headers.TraceParent, null, isRemote: true, out var trace)) request.Set(new ClientTrace(trace));
        headers.TraceParent = default;
        headers.TraceState = default;
    }

    private sealed class Application<TContext>(IHttpApplication<TContext> application, TraceBoundary boundary) : IHttpApplication<TContext>
        where TContext : notnull
    {
        public TContext CreateContext(IFeatureCollection contextFeatures)
        {
            boundary.Enter(contextFeatures);
            return application.CreateContext(contextFeatures);
        }

        public Task ProcessRequestAsync(TContext context) => application.ProcessRequestAsync(context);

        public void DisposeContext(TContext context, Exception? exception) => application.DisposeContext(context, exception);
    }
}

/// <summary>Inserts the trace boundary between the server and ASP.NET Core.</summary>
internal static class TraceBoundaryExtensions
{
    public static void AddTraceBoundary(this WebApplicationBuilder builder)
    {
        var server = builder.Services.Single(static service => service.ServiceType == typeof(IServer));
        builder.Services.Remove(server);
        builder.Services.AddSingleton<IServer>(services => new TraceBoundary(
            (IServer)ActivatorUtilities.CreateInstance(services, server.ImplementationType!), services.GetRequiredService<GatewayOptions>()));
    }

    public static void UseClientTraces(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.Features.Get<ClientTrace>() is { } trace && Activity.Current is { IsAllDataRequested: true } activity)
            activity.AddLink(new ActivityLink(trace.Context));
        return next(context);
    });
}
