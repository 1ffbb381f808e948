using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Routes;

/// <summary>ASP.NET Core's own router over some endpoints: it finds the one that takes a request, and runs nothing.</summary>
internal sealed class Router
{
    private readonly RequestDelegate _find;

    /// <summary>Builds the router at once, as it is built for the gateway that serves.</summary>
    /// <param name="routing">What <see cref="Services"/> returned.</param>
    /// <param name="endpoints">The endpoints that it finds.</param>
    /// <exception cref="Exception">Whatever the framework or a policy throws for an endpoint that no router can be built from.</exception>
    public Router(IServiceProvider routing, params IReadOnlyList<Endpoint> endpoints)
    {
        var app = new ApplicationBuilder(routing);
        app.UseRouting();
        app.Run(static _ => Task.CompletedTask);
        // Only to name the endpoints: the line above ends every request before it.
        app.UseEndpoints(routes => routes.DataSources.Add(new DefaultEndpointDataSource(endpoints)));
        _find = app.Build();
        // The framework builds its matcher for the first request.
        _find(new DefaultHttpContext { RequestServices = routing }).GetAwaiter().GetResult();
    }

    /// <summary>
    /// The services that routers are built with: the gateway's matcher policies and constraints, in a provider of its own. The gateway's provider would keep
    /// every matcher that was ever built.
    /// </summary>
    public static ServiceProvider Services(IServiceProvider gateway)
    {
        var routing = new ServiceCollection();
        routing.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        routing.AddSingleton(static _ => new DiagnosticListener(nameof(Router))).AddSingleton<IMeterFactory, SilentMeters>();
        var constraints = gateway.GetRequiredService<IOptions<RouteOptions>>().Value.ConstraintMap;
        routing.AddRouting(options => options.ConstraintMap = constraints);
        routing.RemoveAll<MatcherPolicy>();
        foreach (var policy in gateway.GetServices<MatcherPolicy>()) routing.AddSingleton(policy);
        return routing.BuildServiceProvider();
    }

    /// <summary>Sets the request's endpoint and route values, as they are at the gateway.</summary>
    /// <returns>The endpoint; null when there is none. One that is none of the given answers 405.</returns>
    public async Task<Endpoint?> FindAsync(HttpContext context)
    {
        await _find(context);
        return context.GetEndpoint();
    }
}
