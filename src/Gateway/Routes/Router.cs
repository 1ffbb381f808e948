using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Routes;

/// <summary>ASP.NET Core's own router over the given endpoints. It finds the endpoint that takes a request, and runs nothing.</summary>
internal sealed class Router
{
    private readonly RequestDelegate _find;

    /// <summary>Builds the router immediately, in the same way as for the running gateway.</summary>
    /// <param name="routing">The provider from <see cref="Services"/>.</param>
    /// <param name="endpoints">The endpoints to route to.</param>
    /// <exception cref="Exception">The framework or a policy threw, because no router can be built from an endpoint.</exception>
    public Router(IServiceProvider routing, params IReadOnlyList<Endpoint> endpoints)
    {
        var app = new ApplicationBuilder(routing);
        app.UseRouting();
        app.Run(static _ => Task.CompletedTask);
        // This only registers the endpoints. The line above ends every request before they would run.
        app.UseEndpoints(routes => routes.DataSources.Add(new DefaultEndpointDataSource(endpoints)));
        _find = app.Build();
        // The framework builds its matcher on the first request.
        _find(new DefaultHttpContext { RequestServices = routing }).GetAwaiter().GetResult();
    }

    /// <summary>
    /// Returns the services that routers are built with: the gateway's matcher policies and constraints, in a separate provider. The gateway's own
    /// provider would retain every matcher that was ever built.
    /// </summary>
    /// <param name="gateway">The gateway's services.</param>
    /// <param name="more">A policy that runs after the gateway's own.</param>
    public static ServiceProvider Services(IServiceProvider gateway, MatcherPolicy? more = null)
    {
        var routing = new ServiceCollection();
        routing.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        routing.AddSingleton(static _ => new DiagnosticListener(nameof(Router))).AddSingleton<IMeterFactory, SilentMeters>();
        var constraints = gateway.GetRequiredService<IOptions<RouteOptions>>().Value.ConstraintMap;
        routing.AddRouting(options => options.ConstraintMap = constraints);
        routing.RemoveAll<MatcherPolicy>();
        foreach (var policy in gateway.GetServices<MatcherPolicy>()) routing.AddSingleton(policy);
        if (more is not null) routing.AddSingleton(more);
        return routing.BuildServiceProvider();
    }

    /// <summary>Sets the request's endpoint and route values as the gateway does.</summary>
    /// <returns>The endpoint, or null when none matches. An endpoint that is not one of those given responds with 405.</returns>
    public async Task<Endpoint?> FindAsync(HttpContext context)
    {
        await _find(context);
        return context.GetEndpoint();
    }
}
