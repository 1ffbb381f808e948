using System.Globalization;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Recording;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;

namespace Gateway.Management.Console;

/// <summary>
/// What the console shows, as JSON. Each response is bounded: by the configuration, or by what <see cref="TrafficRecorder"/> and <see cref="VendRecorder"/>
/// keep. Each request keeps the recording on.
/// </summary>
internal sealed class ConsoleApi(
    ConsoleStatus status, ConsoleRoutes routes, ConsoleVending vending, ConsoleEvents events, ConsoleExplanations explanations, TrafficRecorder traffic,
    ConsoleClock clock, TimeProvider time)
{
    public static readonly JsonSerializerOptions JsonOptions = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private const int MostExplained = 64 * 1024;

    private readonly PollSchedule _polls = new(time);

    /// <summary>Maps the API. The returned group has to be authorized.</summary>
    /// <param name="endpoints">The endpoints of the management listener.</param>
    /// <param name="mayOperate">Whether a caller may use the API now, for a stream that outlasts its request's authorization.</param>
    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, Func<ClaimsPrincipal, object?, Task<bool>> mayOperate)
    {
        var api = endpoints.MapGroup("/api");
        api.AddEndpointFilter((context, next) =>
        {
            traffic.Look();
            var headers = context.HttpContext.Response.Headers;
            headers.CacheControl = "no-store";
            if (context.HttpContext.Request.Headers.ContainsKey(PollSchedule.Header))
                headers[PollSchedule.Header] = _polls.Next().TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            return next(context);
        });
        api.MapGet("/status", async (CancellationToken cancellation) => Json(await status.ReadAsync(cancellation)));
        api.MapGet("/routes", () => Json(new { clock.Now, clock.Started, Routes = routes.Routes() }));
        api.MapGet("/clusters", () => Json(new { clock.Now, clock.Started, Clusters = routes.Clusters() }));
        api.MapGet("/vending", () => Json(vending.Read()));
        api.MapGet("/events", (string? route) => Json(events.Read(route)));
        api.MapGet("/stream", (HttpContext context) => TypedResults.ServerSentEvents(
            events.StreamAsync(context.User, () => mayOperate(context.User, context), context.RequestAborted), "events"));
        api.MapPost("/explain", async (ExplainForm form, CancellationToken cancellation) => Json(await explanations.OfAsync(form, cancellation)))
            .WithMetadata(new RequestSizeLimit(MostExplained));
        return api;
    }

    private static JsonHttpResult<object> Json(object body) => TypedResults.Json(body, JsonOptions);

    // The framework's own attribute is one of MVC.
    private sealed record RequestSizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
