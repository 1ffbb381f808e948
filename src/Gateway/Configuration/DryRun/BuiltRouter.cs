using Gateway.Routes;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>The router over as many routes as one can be built from, and why it cannot be built from the others.</summary>
internal sealed class BuiltRouter : IDisposable
{
    // Of a table that fails in hundreds of routes, some are enough to begin with.
    private const int MostBuilds = 200;

    private readonly Snapshot _snapshot;
    private readonly List<(RouteConfig? Route, string Problem)> _failed = [];
    private ServiceProvider? _services;
    private int _builds;

    /// <summary>Builds all routes at once, and only if that fails, ever fewer until those are found that it fails for.</summary>
    /// <param name="routes">The routes.</param>
    /// <param name="snapshot">Their clusters, policies and profiles. It reaches nobody.</param>
    /// <param name="services">Services for the first try, which most often is the last.</param>
    public BuiltRouter(IReadOnlyList<RouteConfig> routes, Snapshot snapshot, IServiceProvider services)
    {
        _snapshot = snapshot;
        if (Build(routes, services, out var problem)) return;
        Split(routes, problem);
        var good = routes.Except(_failed.Select(each => each.Route)).OfType<RouteConfig>().ToArray();
        if (_builds > MostBuilds || !Build(good, out problem)) _failed.Add((null, problem));
    }

    /// <summary>The router; null when there is none.</summary>
    public Router? Router { get; private set; }

    /// <summary>The routes that the router is over.</summary>
    public IReadOnlyList<RouteConfig> Routes { get; private set; } = [];

    /// <summary>The routes that no router can be built from; without a route, all together.</summary>
    public IReadOnlyList<(RouteConfig? Route, string Problem)> Failed => _failed;

    public void Dispose() => _services?.Dispose();

    private void Split(IReadOnlyList<RouteConfig> some, string why)
    {
        if (some.Count == 1)
        {
            _failed.Add((some[0], why));
            return;
        }

        foreach (var half in new[] { some.Take(some.Count / 2).ToArray(), some.Skip(some.Count / 2).ToArray() })
            if (_builds < MostBuilds && !Build(half, out var reason)) Split(half, reason);
    }

    private bool Build(IReadOnlyList<RouteConfig> routes, out string problem)
    {
        Dispose();
        _services = TrialServices.Of(_snapshot with { Routes = routes });
        return Build(routes, _services, out problem);
    }

    private bool Build(IReadOnlyList<RouteConfig> routes, IServiceProvider services, out string problem)
    {
        (Router, Routes, problem) = (null, [], "");
        if (routes.Count == 0) return true;
        _builds++;
        try
        {
            services.GetRequiredService<GatedConfigurationProvider>().Publish(_snapshot with { Routes = routes });
            (Router, Routes) = (new Router(services, RoutesExtensions.Endpoints(services).Endpoints), routes);
            return true;
        }
        catch (Exception exception)
        {
            problem = Parts.Text(exception);
            return false;
        }
    }
}
