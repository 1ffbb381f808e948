using Gateway.Configuration.Snapshots;
using Gateway.Routes;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>Builds a router from as many routes as possible, and records why it cannot be built from the others.</summary>
internal sealed class BuiltRouter : IDisposable
{
    // If a table fails for hundreds of routes, reporting some of them is enough.
    private const int MostBuilds = 200;

    private readonly Snapshot _snapshot;
    private readonly List<(RouteConfig? Route, string Problem)> _failed = [];
    private ServiceProvider? _services;
    private int _builds;

    /// <summary>Builds all routes at once. If that fails, builds smaller and smaller parts until the failing routes are found.</summary>
    /// <param name="routes">The routes.</param>
    /// <param name="snapshot">Their clusters, policies and profiles, without destinations.</param>
    /// <param name="services">The services for the first attempt, which is usually the only one.</param>
    public BuiltRouter(IReadOnlyList<RouteConfig> routes, Snapshot snapshot, IServiceProvider services)
    {
        _snapshot = snapshot;
        if (Build(routes, services, out var problem)) return;
        Split(routes, problem);
        var good = routes.Except(_failed.Select(each => each.Route)).OfType<RouteConfig>().ToArray();
        if (_builds > MostBuilds || !Build(good, out problem)) _failed.Add((null, problem));
    }

    /// <summary>The router, or null when none can be built.</summary>
    public Router? Router { get; private set; }

    /// <summary>The routes that the router contains.</summary>
    public IReadOnlyList<RouteConfig> Routes { get; private set; } = [];

    /// <summary>The routes that no router can be built from. An entry without a route stands for all routes together.</summary>
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
            services.GetRequiredService<SnapshotConfigurationProvider>().Publish(_snapshot with { Routes = routes });
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
