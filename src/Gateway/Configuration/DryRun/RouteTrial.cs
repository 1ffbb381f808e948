using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Configuration.DryRun;

/// <summary>Builds each route's transforms as a running gateway does, and runs YARP's validators on the route.</summary>
internal sealed class RouteTrial(RuleContext context, IConfigValidator validator, ITransformBuilder transforms)
{
    private readonly Dictionary<string, ClusterConfig> _clusters = context.Clusters
        .Where(cluster => !context.HasErrorAt(RouteKey.Of(cluster)))
        .DistinctBy(cluster => cluster.ClusterId, StringComparer.OrdinalIgnoreCase)
        .ToDictionary(cluster => cluster.ClusterId, StringComparer.OrdinalIgnoreCase);

    /// <summary>Tries every route.</summary>
    public static void Check(RuleContext context, IServiceProvider services)
    {
        var trial = new RouteTrial(context, services.GetRequiredService<IConfigValidator>(), services.GetRequiredService<ITransformBuilder>());
        foreach (var route in context.Routes) trial.Check(route);
    }

    private void Check(RouteConfig route)
    {
        foreach (var (name, problem) in Parts.Failing(WithoutPolicies(route), PartsOf, Problems))
        {
            // If a rule has reported an error at this key or below it, skip this one: the rule's message is more specific.
            var key = name.Length == 0 ? RouteKey.Of(route) : RouteKey.Of(route, name);
            if (!context.HasErrorAt(key)) context.Error(key, $"cannot be used: {problem} {Advice(name)}");
        }
    }

    private IReadOnlyList<string> Problems(RouteConfig route) => Parts.ProblemsOf(() =>
    {
        var errors = validator.ValidateRouteAsync(route).AsTask().GetAwaiter().GetResult();
        // Transforms are built only for a valid route, because YARP need not be able to build an invalid one.
        if (errors.Count == 0) transforms.Build(route, _clusters.GetValueOrDefault(route.ClusterId ?? ""));
        return errors;
    });

    // Policy names are checked by the gateway's own rules, which know the policies.
    private static RouteConfig WithoutPolicies(RouteConfig route) => route with
    {
        AuthorizationPolicy = null,
        RateLimiterPolicy = null,
        CorsPolicy = null,
        OutputCachePolicy = null,
        Timeout = null,
        TimeoutPolicy = null,
        Match = RoutePath.IsBroken(route) ? route.Match with { Path = "/" } : route.Match,
    };

    private static IEnumerable<(string, RouteConfig)> PartsOf(RouteConfig route)
    {
        var nothing = route with { Transforms = null, Match = new() { Path = "/" } };
        yield return ("Match", nothing with { Match = new() { Path = route.Match.Path, Hosts = route.Match.Hosts } });
        yield return ("Match:Methods", nothing with { Match = new() { Path = "/", Methods = route.Match.Methods } });
        for (var index = 0; index < route.Match.Headers?.Count; index++)
            yield return ($"Match:Headers:{index}", nothing with { Match = new() { Path = "/", Headers = [route.Match.Headers[index]] } });
        for (var index = 0; index < route.Match.QueryParameters?.Count; index++)
            yield return ($"Match:QueryParameters:{index}",
                nothing with { Match = new() { Path = "/", QueryParameters = [route.Match.QueryParameters[index]] } });
        for (var index = 0; index < route.Transforms?.Count; index++)
            yield return ($"Transforms:{index}", nothing with { Transforms = [route.Transforms[index]] });
    }

    private static string Advice(string name) =>
        name.StartsWith("Transforms", StringComparison.Ordinal) ? "Write one transform an item, with its own keys alone, such as { \"PathPrefix\": \"/api\" }."
        : name == "Match" ? "Write a Path, such as \"/api/{**rest}\", or \"/{**rest}\" for every path."
        : name == "Match:Methods" ? "Write each method once: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE."
        : name.StartsWith("Match:", StringComparison.Ordinal) ? "Write a Name, and Values unless Mode is Exists or NotExists."
        : "Write another value, or remove the key.";
}
