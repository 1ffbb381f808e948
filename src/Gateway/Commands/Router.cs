namespace Gateway.Commands;

/// <summary>ASP.NET Core's own router over some endpoints: it finds the one that takes a request, and runs nothing.</summary>
internal sealed class Router
{
    private readonly RequestDelegate _find;

    public Router(IServiceProvider services, params IReadOnlyList<Endpoint> endpoints)
    {
        var app = new ApplicationBuilder(services);
        app.UseRouting();
        app.Run(static _ => Task.CompletedTask);
        // Only to name the endpoints: the line above ends every request before it.
        app.UseEndpoints(routes => routes.DataSources.Add(new DefaultEndpointDataSource(endpoints)));
        _find = app.Build();
    }

    /// <summary>Sets the request's endpoint and route values, as they are at the gateway.</summary>
    /// <returns>The endpoint; null when there is none. One that is none of the given answers 405.</returns>
    public async Task<Endpoint?> FindAsync(HttpContext context)
    {
        await _find(context);
        return context.GetEndpoint();
    }
}
