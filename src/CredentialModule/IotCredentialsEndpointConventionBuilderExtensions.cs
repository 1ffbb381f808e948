using IotCredentials.Failures;
using IotCredentials.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the module's routes in a YARP host.</summary>
public static class IotCredentialsEndpointConventionBuilderExtensions
{
    private const string NotAdded =
        "MapIotCredentials was called and AddIotCredentials was not: "
        + "write builder.Services.AddReverseProxy().AddIotCredentials(builder.Configuration.GetSection(\"IotCredentials\")).";

    /// <summary>
    /// Serves the module's routes in process. Match, authorization, limits and CORS stay the route's own. They are never cached, and the middleware of
    /// <c>MapReverseProxy(pipeline => …)</c> does not run for them.
    /// </summary>
    /// <param name="endpoints">The builder that <c>MapReverseProxy()</c> returned.</param>
    /// <exception cref="InvalidOperationException"><c>AddIotCredentials</c> was never called.</exception>
    public static ReverseProxyConventionBuilder MapIotCredentials(this ReverseProxyConventionBuilder endpoints)
    {
        if (!ModuleRoute.IsAdded) throw new StartupException(NotAdded);
        return endpoints.ConfigureEndpoints((endpoint, route) =>
        {
            if (!ModuleRoute.IsCredentials(route)) return;
            var profile = ModuleRoute.ProfileOf(route);
            var rule = new CredentialQueryRule(profile);
            endpoint.Add(builder =>
            {
                builder.Metadata.Add(rule);
                // The cache of ASP.NET Core heeds neither no-store nor whether the next caller may have the organization.
                builder.Metadata.Add(new OutputCacheAttribute { NoStore = true });
                builder.RequestDelegate = context =>
                    (context.RequestServices.GetService<CredentialEndpoint>() ?? throw new InvalidOperationException(NotAdded))
                        .InvokeAsync(context, profile, rule);
            });
        });
    }
}
