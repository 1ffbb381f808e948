using System.Collections.Concurrent;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Http;

/// <summary>
/// Rejects a route table with a module route that cannot be served as it is configured. YARP keeps the table before it. While the host starts, there is none
/// before it, and YARP's own exception would hide the message: <see cref="PipelineValidation"/> reports the problems then.
/// </summary>
internal sealed class CredentialRouteFilter(IProfileProvider profiles, SectionName section, IEnumerable<RouteModule> modules, IConfigValidator validator)
    : IProxyConfigFilter
{
    private ConcurrentQueue<string>? _problemsOfStart = [];

    /// <summary>Returns the problems of the routes that the host starts with. From now on, a problem is an exception.</summary>
    public IReadOnlyCollection<string> EndStart() => Interlocked.Exchange(ref _problemsOfStart, null) ?? [];

    public async ValueTask<RouteConfig> ConfigureRouteAsync(RouteConfig route, ClusterConfig? cluster, CancellationToken cancel)
    {
        if (ModuleRoute.ModuleOf(route) is not { } module) return route;
        var problemsOfStart = Volatile.Read(ref _problemsOfStart);
        var problem = ProblemOf(route, module) ?? (problemsOfStart is null ? null : await ProblemOfYarpAsync(route));
        if (problem is null) return route;
        problem = $"ReverseProxy:Routes:{route.RouteId} {problem}";
        if (problemsOfStart is null) throw new InvalidOperationException(problem);
        problemsOfStart.Enqueue(problem);
        // A stand-in that YARP accepts: its exception would hide the problem, which stops the host.
        return new() { RouteId = route.RouteId, Match = new() { Path = "/" } };
    }

    public ValueTask<ClusterConfig> ConfigureClusterAsync(ClusterConfig cluster, CancellationToken cancel) => new(cluster);

    // Once the host has started, YARP logs its own problems.
    private async ValueTask<string?> ProblemOfYarpAsync(RouteConfig route) =>
        await validator.ValidateRouteAsync(route) is { Count: > 0 } problems ? string.Join(" ", problems.Select(static problem => problem.Message)) : null;

    private string? ProblemOf(RouteConfig route, string module)
    {
        if (!modules.Any(known => known.Name == module))
            return $"Metadata:Module is {module}; the modules of this host are {string.Join(", ", modules.Select(static known => known.Name).Order())}.";
        if (route.ClusterId is not null) return $"has a Module and a ClusterId: remove ClusterId, and the module {module} serves the route, or remove Module.";
        if (!ModuleRoute.IsCredentials(route)) return null;
        if (route.OutputCachePolicy is not null)
            return "has an OutputCachePolicy: remove it. Credentials are cached by the module alone, which checks each time who may have them.";
        if (OtherParameters(route.Match.Path) is { } others)
            return $"Match:Path names no {{{RouteOrganization.Parameter}}}: "
                + $"write the organization's part of the path as {{{RouteOrganization.Parameter}}}{others}.";
        var profile = ModuleRoute.ProfileOf(route);
        // One change of the configuration may have added it, and YARP learn of the change first.
        if (!profiles.Current.Has(profile)) (profiles as OptionsProfileProvider)?.Reload();
        if (profiles.Current.Has(profile)) return null;
        var advice = (profiles is OptionsProfileProvider && !profiles.Current.Names.Any() ? section.Absence() : null)
            ?? NearestName.Advice(profile, [.. profiles.Current.Names]);
        return section.In(ModuleRoute.Metadata(route, "Profile") is not null
            ? $"Metadata:Profile is {profile}; IotCredentials:Profiles has none of that name. {advice}"
            : $"names no Metadata:Profile, and IotCredentials:Profiles has no \"{profile}\": write one of its names. {advice}");
    }

    // The path's other parameters as advice. Null if the path names the organization, or is invalid, which YARP reports itself.
    private static string? OtherParameters(string? path)
    {
        try
        {
            var pattern = RoutePatternFactory.Parse(path ?? "");
            if (pattern.GetParameter(RouteOrganization.Parameter) is not null) return null;
            return pattern.Parameters.Count == 0 ? "" : $", not {string.Join(" or ", pattern.Parameters.Select(static parameter => $"{{{parameter.Name}}}"))}";
        }
        catch (RoutePatternException)
        {
            return null;
        }
    }
}
