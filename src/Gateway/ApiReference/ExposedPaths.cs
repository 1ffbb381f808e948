using System.Text.RegularExpressions;
using Gateway.Errors;
using Gateway.Routes;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.ApiReference;

/// <summary>Finds the paths of services that routes expose, by the gateway's own router.</summary>
internal sealed partial class ExposedPaths(Router router)
{
    // A path's parameters have no value here, and a route may constrain them: to a word, a number or a UUID.
    private static readonly string[] s_samples = ["sample", "1", "00000000-0000-4000-8000-000000000000"];

    /// <summary>Returns the path by which clients reach a service's path over a route; null if the route does not take it.</summary>
    /// <param name="endpoint">The route's endpoint.</param>
    /// <param name="route">The route.</param>
    /// <param name="method">The method.</param>
    /// <param name="servicePath">The path, as the service receives it behind its destination's address.</param>
    public async Task<string?> FindAsync(RouteEndpoint endpoint, RouteConfig route, string method, string servicePath)
    {
        if (BeforeTransforms(route, servicePath) is not { } path || !MayMatch(endpoint.RoutePattern, path)) return null;
        var host = route.Match.Hosts is [var first, ..] ? first : null;
        var hasSample = path.Contains('{', StringComparison.Ordinal) || host?.Contains('*', StringComparison.Ordinal) == true;
        foreach (var sample in hasSample ? s_samples : s_samples[..1])
        {
            var context = new DefaultHttpContext();
            context.Request.Method = method;
            context.Request.Path = Parameter().Replace(path, sample);
            if (host is not null) context.Request.Host = HostString.FromUriComponent(host.Replace("*", sample, StringComparison.Ordinal));
            try
            {
                if (await router.FindAsync(context) == endpoint) return path;
            }
            catch (Exception e) when (RouteConflict.Is(e))
            {
                // Clients get an error as well.
            }
        }

        return null;
    }

    // Most routes are below other paths than the service's, which their first segments tell without the router.
    private static bool MayMatch(RoutePattern pattern, string path)
    {
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < segments.Length && i < pattern.PathSegments.Count; i++)
        {
            if (pattern.PathSegments[i].Parts is not [RoutePatternLiteralPart literal] || segments[i].Contains('{', StringComparison.Ordinal)) return true;
            if (!literal.Content.Equals(segments[i], StringComparison.OrdinalIgnoreCase)) return false;
        }

        return true;
    }

    // Undoes the route's transforms of the path. Null if the transforms make no such path, or are patterns.
    private static string? BeforeTransforms(RouteConfig route, string servicePath)
    {
        if (!Unambiguous().IsMatch(servicePath)) return null;
        var path = new PathString(servicePath);
        foreach (var transform in route.Transforms?.Reverse() ?? [])
        {
            if (transform.ContainsKey("PathSet") || transform.ContainsKey("PathPattern")) return null;
            if (transform.TryGetValue("PathRemovePrefix", out var removed)) path = new PathString(WithSlash(removed)).Add(path);
            else if (transform.TryGetValue("PathPrefix", out var added) && !path.StartsWithSegments(WithSlash(added), out path)) return null;
        }

        return path.HasValue ? path.Value : "/";
    }

    private static string WithSlash(string path) => path.StartsWith('/') ? path : "/" + path;

    // No other character than the path's own, no empty segment and no dot segment: the gateway refuses such requests. Braces only around a parameter's name.
    [GeneratedRegex(@"\A(?:/|(?:/(?!\.\.?(?:/|\z))(?:[^/?#%\\{}\p{C}]|\{[\w.~$-]+\})+)+/?)\z")]
    private static partial Regex Unambiguous();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Parameter();
}
