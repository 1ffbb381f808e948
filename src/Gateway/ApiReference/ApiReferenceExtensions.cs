using Scalar.AspNetCore;

namespace Gateway.ApiReference;

/// <summary>Adds the description of the edge's API, and the page that shows it.</summary>
internal static class ApiReferenceExtensions
{
    private const string DocumentPath = "/openapi.json";

    private static readonly string[] s_methods = [HttpMethods.Get, HttpMethods.Head];

    public static void AddApiReference(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ServiceDocuments>();
        builder.Services.AddSingleton<ApiDescription>();
    }

    /// <summary>
    /// Maps <c>/openapi.json</c> and <c>/reference</c>. Both name paths and not callers, so they need no token, as health and metrics.
    /// </summary>
    public static void MapApiReference(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapMethods(DocumentPath, s_methods, static async (ApiDescription description, CancellationToken cancellation) =>
            TypedResults.Bytes(await description.GetAsync().WaitAsync(cancellation), "application/json")).AllowAnonymous();
        var page = endpoints.MapScalarApiReference("/reference", static options => options
            .AddDocument("edge", "API reference", DocumentPath)
            .WithTitle("API reference")
            .WithNonce()
            // The page loads nothing from elsewhere, and it sends nothing: requests to the edge come from another origin than the edge's own.
            .DisableDefaultFonts()
            .DisableTelemetry()
            .DisableAgent()
            .DisableMcp()
            .HideTestRequestButton()
            .HideClientButton()
            .HideDeveloperTools());
        page.WithMetadata(new HttpMethodMetadata(s_methods)).AllowAnonymous();
        page.Add(static endpoint =>
        {
            var respond = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context =>
            {
                context.Response.OnStarting(SetPolicyAsync, context);
                return respond(context);
            };
        });
    }

    // The page sets styles of its own at run time, which have no nonce. Descriptions of services are markdown, and could name images elsewhere.
    private static Task SetPolicyAsync(object state)
    {
        var context = (HttpContext)state;
        var scripts = context.Items[ScalarOptions.NonceHttpContextItemKey] is string nonce ? $"'self' 'nonce-{nonce}'" : "'none'";
        context.Response.Headers.ContentSecurityPolicy = $"default-src 'none'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
            + "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        return Task.CompletedTask;
    }
}
