using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>A test request that is routed but not sent.</summary>
internal sealed record ProbeRequest(
    string Method, string Path, string? Host, IReadOnlyList<KeyValuePair<string, string>> Headers, IReadOnlyList<KeyValuePair<string, string>> Query)
{
    // The number of combinations grows with the number of conditions. The limit is enough to try one condition for each name.
    private const int MostRequests = 48;

    /// <summary>
    /// Returns requests for the given paths that meet the conditions of all given routes, as far as one header or parameter for each name can.
    /// </summary>
    public static IEnumerable<ProbeRequest> For(IReadOnlyList<string> paths, params RouteConfig[] routes)
    {
        var methods = Common(routes.Select(route => route.Match.Methods)) ?? (IReadOnlyList<string>)["GET"];
        var hosts = routes.SelectMany(route => route.Match.Hosts ?? [])
            .Distinct(StringComparer.OrdinalIgnoreCase).Take(4).Select(Named).DefaultIfEmpty(null).ToArray();
        var headers = Combined(routes.SelectMany(route => route.Match.Headers ?? []).Select(header => (header.Name, header.Values)));
        var query = Combined(routes.SelectMany(route => route.Match.QueryParameters ?? []).Select(parameter => (parameter.Name, parameter.Values)));
        var requests =
            from path in paths
            from method in methods.Take(2)
            from host in hosts
            from header in headers
            from parameter in query
            select new ProbeRequest(method, path, host, header, parameter);
        return requests.Take(MostRequests);
    }

    /// <summary>Returns the request as a gateway receives it.</summary>
    public HttpContext Context(IServiceProvider services)
    {
        var context = new DefaultHttpContext { RequestServices = services };
        context.Request.Method = Method;
        context.Request.Scheme = Uri.UriSchemeHttps;
        context.Request.Host = new HostString(Host ?? "localhost");
        context.Request.Path = new PathString(Path);
        foreach (var (name, value) in Headers) context.Request.Headers[name] = value;
        if (Query.Count > 0) context.Request.QueryString = QueryString.Create(Query.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
        return context;
    }

    /// <summary>Describes the request for a message, without the values of headers and query parameters, which may be secrets.</summary>
    public override string ToString() =>
        $"{Method} {Path}"
        + (Query.Count > 0 ? $"?{string.Join('&', Query.Select(pair => $"{pair.Key}=…"))}" : "")
        + (Host is null ? "" : $" at {Host}")
        + string.Concat(Headers.Select(header => $" with {header.Key}: …"));

    // Returns null when no route restricts methods, and an empty list when the routes have no method in common.
    private static IReadOnlyList<string>? Common(IEnumerable<IReadOnlyList<string>?> lists) => lists
        .Where(list => list is { Count: > 0 })
        .Aggregate((IReadOnlyList<string>?)null, (common, list) => common is null ? list : [.. common.Intersect(list!, StringComparer.OrdinalIgnoreCase)]);

    private static string? Named(string host) => host.Replace(":*", "", StringComparison.Ordinal) switch
    {
        "*" => null,
        ['*', ':', .. var port] => $"localhost:{port}",
        ['*', '.', .. var name] => $"probe.{name}",
        var name => name,
    };

    private static IReadOnlyList<IReadOnlyList<KeyValuePair<string, string>>> Combined(IEnumerable<(string Name, IReadOnlyList<string>? Values)> conditions)
    {
        IReadOnlyList<IReadOnlyList<KeyValuePair<string, string>>> combined = [[]];
        foreach (var named in conditions.Where(condition => HttpHeaderName(condition.Name))
            .GroupBy(condition => condition.Name, StringComparer.OrdinalIgnoreCase))
        {
            var values = named.SelectMany(condition => condition.Values ?? []).Distinct(StringComparer.Ordinal).Take(3).ToArray();
            string?[] tried = [.. values, .. values.Length == 2 ? new[] { values[0] + values[1], values[1] + values[0] } : [], "probe", null];
            combined = [.. combined.SelectMany(before => tried.Select(value => value is null ? before : [.. before, KeyValuePair.Create(named.Key, value)]))
                .Take(MostRequests)];
        }

        return combined;
    }

    private static bool HttpHeaderName(string? name) => !StringValues.IsNullOrEmpty(name);
}
