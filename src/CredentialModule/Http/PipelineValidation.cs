using IotCredentials.Failures;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace IotCredentials.Http;

/// <summary>
/// Prevents a host from listening whose pipeline cannot serve its module routes: each mistake would otherwise be a 401, 404, 500 or 503 on every request. It
/// runs when the pipeline is built, after everything that the host adds to it.
/// </summary>
internal sealed class PipelineValidation(
    IServiceProvider services, EndpointDataSource mapped, IEnumerable<IProxyConfigProvider> tables, CredentialRouteFilter routes) : IStartupFilter
{
    // ASP.NET Core's UseRouting and UseAuthorization set these properties.
    private const string RoutingIsUsed = "__EndpointRouteBuilder";
    private const string AuthorizationIsUsed = "__AuthorizationMiddlewareSet";

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        next(app);
        if (routes.EndStart() is { Count: > 0 } problems) throw new StartupException(string.Join('\n', problems));
        if (!tables.SelectMany(static table => table.GetConfig().Routes ?? []).Any(ModuleRoute.IsCredentials)) return;

        var endpoints = mapped.Endpoints
            .Where(static endpoint => endpoint.Metadata.GetMetadata<RouteModel>() is { } route && ModuleRoute.IsCredentials(route.Config))
            .ToList();
        if (endpoints.Count == 0) throw Refused("YARP's routes are not mapped", "app.MapReverseProxy().MapIotCredentials()");
        if (endpoints.Exists(static endpoint => endpoint.Metadata.GetMetadata<CredentialQueryRule>() is null))
            throw Refused("MapIotCredentials was not called", "app.MapReverseProxy().MapIotCredentials()");
        // A branch of the pipeline has properties of its own: this is known only of routes that the main pipeline maps.
        if (MapsModule(app.Properties) && !app.Properties.ContainsKey(AuthorizationIsUsed))
            throw Refused(
                "the pipeline has no authorization", "app.UseAuthentication() and app.UseAuthorization(), between app.UseRouting() and app.UseEndpoints(…)");
        CheckSchemesAsync(endpoints).GetAwaiter().GetResult();
    };

    private static bool MapsModule(IDictionary<string, object?> properties) =>
        properties.TryGetValue(RoutingIsUsed, out var routing) && routing is IEndpointRouteBuilder routes
        && routes.DataSources.SelectMany(static source => source.Endpoints)
            .Any(static endpoint => endpoint.Metadata.GetMetadata<CredentialQueryRule>() is not null);

    private async Task CheckSchemesAsync(IReadOnlyList<Endpoint> endpoints)
    {
        var schemes = services.GetService<IAuthenticationSchemeProvider>();
        if (schemes is null || !(await schemes.GetAllSchemesAsync()).Any())
            throw Refused("the host has no authentication scheme, so that no caller can be known", "builder.Services.AddAuthentication().AddJwtBearer(…)");
        if (await schemes.GetDefaultAuthenticateSchemeAsync() is not null) return;

        var policies = services.GetRequiredService<IAuthorizationPolicyProvider>();
        foreach (var endpoint in endpoints)
        {
            var policy = await AuthorizationPolicy.CombineAsync(
                policies, endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>(), endpoint.Metadata.GetOrderedMetadata<AuthorizationPolicy>());
            if (policy is { AuthenticationSchemes.Count: 0 })
                throw Refused(
                    $"several authentication schemes exist, and the policy of {endpoint.DisplayName} uses none of them",
                    "AddAuthentication(\"the default scheme\"), or AddAuthenticationSchemes in the policy");
        }
    }

    private static StartupException Refused(string slip, string remedy) =>
        new($"A route has the module {ModuleRoute.Name}, and {slip}: write {remedy}.");
}
