using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>
/// Builds and runs every constraint in a route's path and in its path patterns. ASP.NET Core builds some of them with its router, for all routes
/// together, and some on the first request.
/// </summary>
internal sealed class ConstraintTrial(RuleContext context, Constraints constraints, IDictionary<string, Type> known)
{
    private readonly Dictionary<string, string?> _problems = new(StringComparer.Ordinal);

    /// <summary>Tries the constraints of every route.</summary>
    public static void Check(RuleContext context, IServiceProvider services, Constraints constraints)
    {
        var known = services.GetRequiredService<IOptions<RouteOptions>>().Value.ConstraintMap;
        var trial = new ConstraintTrial(context, constraints, known);
        foreach (var route in context.Routes) trial.Check(route);
    }

    private void Check(RouteConfig route)
    {
        if (RoutePath.Parse(route) is { } path) Check(path, RouteKey.Of(route, "Match:Path"));
        for (var index = 0; index < route.Transforms?.Count; index++)
            if (route.Transforms[index].TryGetValue("PathPattern", out var pattern) && RoutePath.Parse(pattern) is { } made)
                Check(made, RouteKey.Of(route, $"Transforms:{index}:PathPattern"));
    }

    private void Check(RoutePattern pattern, string key)
    {
        foreach (var parameter in pattern.Parameters)
            foreach (var policy in parameter.ParameterPolicies)
            {
                var written = policy.Content ?? "";
                if (!_problems.TryGetValue(written, out var problem)) _problems[written] = problem = Problem(parameter, policy, written);
                if (problem is not null) context.Error(key, $"gives {{{parameter.Name}}} the constraint {Finding.Quote(written)}, {problem}");
            }
    }

    private string? Problem(RoutePatternParameterPart parameter, RoutePatternParameterPolicyReference policy, string written)
    {
        var name = written.Split('(')[0];
        if (!known.ContainsKey(name))
        {
            var ownCode = NearestName.Of(name, known.Keys) is not null ? ""
                : $" A constraint from your own code does not run here: write one of these, or {{{parameter.Name}}} without one.";
            return $"and there is none of that name. {NearestName.Advice(name, [.. known.Keys])}{ownCode}";
        }

        try
        {
            // Some constraints, such as regular expressions, are built only when they are first used.
            if (constraints.Of(parameter, policy) is { } constraint) Constraints.Takes(constraint, parameter, "probe");
            return null;
        }
        catch (Exception exception)
        {
            return "which cannot be built: "
                + $"{Parts.Text(exception)} Write such as {{{parameter.Name}:int}}, {{{parameter.Name}:range(1,10)}} or {{{parameter.Name}:regex(^[a-z]+$)}}.";
        }
    }
}
