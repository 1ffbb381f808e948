using Gateway.Routes;

namespace Gateway.Explanations;

/// <summary>Explains why the other routes do not take a request.</summary>
/// <param name="Lost">The routes that match its path, each with the reason why it does not take the request.</param>
/// <param name="OtherPaths">The number of routes that do not match its path.</param>
internal sealed record RouteMatchExplanation(IReadOnlyList<UnmatchedRoute> Lost, int OtherPaths)
{
    /// <summary>Matches each route alone, first by its path and then by each of its conditions separately.</summary>
    /// <param name="services">The gateway's services.</param>
    /// <param name="endpoints">All routes, in order.</param>
    /// <param name="taken">The route that takes the request, or null.</param>
    /// <param name="table">The routes as they were written.</param>
    /// <param name="request">Creates a new copy of the request.</param>
    public static async Task<RouteMatchExplanation> OfAsync(
        IServiceProvider services, IReadOnlyList<RouteEndpoint> endpoints, RouteEndpoint? taken, RouteTable table, Func<HttpContext> request)
    {
        await using var routing = Router.Services(services);
        var lost = new List<UnmatchedRoute>();
        var otherPaths = 0;
        foreach (var endpoint in endpoints.Where(endpoint => endpoint != taken))
        {
            if (!await MatchesAsync(endpoint))
            {
                otherPaths++;
                continue;
            }

            var row = RouteMatchRow.Of(endpoint, table.Written(endpoint.RouteId()));
            var unmet = new List<string>();
            foreach (var item in endpoint.Metadata)
                if (Asks(item, row) is { } asked && !await MatchesAsync(endpoint, item)) unmet.Add(asked);
            lost.Add(new(endpoint.RouteId(), row.Path, unmet.Count > 0 ? string.Join("; ", unmet) : Loses(endpoint, taken)));
        }

        return new(lost, otherPaths);

        async Task<bool> MatchesAsync(RouteEndpoint endpoint, params object[] asked)
        {
            var alone = new RouteEndpoint(endpoint.RequestDelegate!, endpoint.RoutePattern, 0, new EndpointMetadataCollection(asked), null);
            return await new Router(routing, alone).FindAsync(request()) == alone;
        }
    }

    // YARP's metadata types are internal, so they can only be recognized by their names.
    private static string? Asks(object metadata, RouteMatchRow row) =>
        metadata is IHttpMethodMetadata ? $"method: it accepts {string.Join(", ", row.Methods)}"
        : metadata is IHostMetadata ? $"host: it accepts {string.Join(", ", row.Hosts)}"
        : metadata.GetType().Name == "HeaderMetadata" ? $"header: {string.Join("; ", row.Headers)}"
        : metadata.GetType().Name == "QueryParameterMetadata" ? $"query: {string.Join("; ", row.Query)}"
        : null;

    private static string Loses(RouteEndpoint endpoint, RouteEndpoint? taken) =>
        taken is null ? "it matches, and so does another route of the same precedence"
        : endpoint.Order != taken.Order ? $"order: {endpoint.Order} comes after {taken.Order}"
        : endpoint.RoutePattern.InboundPrecedence != taken.RoutePattern.InboundPrecedence ? "less specific path"
        : "less specific conditions on method, host, header or query";
}

/// <summary>A route that matches a request's path but does not take it.</summary>
internal sealed record UnmatchedRoute(string Route, string Path, string Reason);
