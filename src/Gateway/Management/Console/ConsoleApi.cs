using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.Recording;
using Gateway.Reloading;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Management.Console;

/// <summary>
/// What the console shows, as JSON. Each response is bounded: by the configuration, or by what <see cref="TrafficRecorder"/> and <see cref="VendRecorder"/>
/// keep. Each request keeps the recording on.
/// </summary>
internal sealed class ConsoleApi(
    ConsoleRoutes routes, ConsoleExplanations explanations, TrafficRecorder traffic, VendRecorder vends, EventRecorder events, HealthCheckService checks,
    HealthHistory health, ConfigurationReloader reloader, SnapshotConfigurationProvider snapshots, GatewayOptions options, IHostApplicationLifetime lifetime,
    TimeProvider time)
{
    private const int MostFindings = 100;
    private static readonly TimeSpan s_streamInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestStream = TimeSpan.FromMinutes(15);
    private const int MostExplained = 64 * 1024;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly DateTimeOffset _started = time.GetUtcNow();
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
            headers[PollSchedule.Header] = _polls.Next().TotalMilliseconds.ToString("F0", CultureInfo.InvariantCulture);
            return next(context);
        });
        api.MapGet("/status", async (CancellationToken cancellation) => Json(await StatusAsync(cancellation)));
        api.MapGet("/routes", () => Json(new { Now = time.GetUtcNow(), Started = _started, Routes = routes.Routes() }));
        api.MapGet("/clusters", () => Json(new { Now = time.GetUtcNow(), Started = _started, Clusters = routes.Clusters() }));
        api.MapGet("/vending", () => Json(Vending()));
        api.MapGet("/events", (string? route) => Json(Events(route)));
        api.MapGet("/stream", (HttpContext context) => TypedResults.ServerSentEvents(
            StreamAsync(context.User, () => mayOperate(context.User, context), context.RequestAborted), "events"));
        api.MapPost("/explain", async (ExplainForm form, CancellationToken cancellation) => Json(await explanations.OfAsync(form, cancellation)))
            .WithMetadata(new RequestSizeLimit(MostExplained));
        return api;
    }

    private static JsonHttpResult<object> Json(object body) => TypedResults.Json(body, s_json);

    private async Task<object> StatusAsync(CancellationToken cancellation)
    {
        var report = await checks.CheckHealthAsync(cancellation);
        var series = traffic.Series();
        return new
        {
            Now = time.GetUtcNow(),
            Started = _started,
            Version = ProductVersion.Text,
            Status = report.Status.ToString(),
            Checks = health.Observe(report),
            Configuration = Configuration(),
            Traffic = new
            {
                traffic.Since,
                RequestWindow.SlotSeconds,
                LastMinute = traffic.LastMinute(null),
                Requests = series.Select(static slot => slot.Requests),
                Refused = series.Select(static slot => slot.Refused),
                Errors = series.Select(static slot => slot.Errors),
                P50 = series.Select(static slot => slot.P50 ?? 0),
                P99 = series.Select(static slot => slot.P99 ?? 0),
            },
            Vends = vends.Outcomes(),
        };
    }

    private object Configuration()
    {
        var snapshot = snapshots.Current;
        return new
        {
            snapshot.Folder,
            reloader.AppliedAt,
            reloader.Hash,
            reloader.LastChange,
            Routes = snapshot.Routes.Count,
            Clusters = snapshot.Clusters.Count,
            Organizations = snapshot.Options.IotCredentials.Organizations.Count,
            reloader.IsRefused,
            reloader.IsUncertain,
            LastRefused = reloader.LastRefused is { } refused
                ? new { refused.Time, refused.Findings.Count, Findings = refused.Findings.Take(MostFindings).Select(static finding => finding.ToString()) }
                : null,
        };
    }

    private object Vending() => new
    {
        Now = time.GetUtcNow(),
        Started = _started,
        traffic.Since,
        Outcomes = vends.Outcomes(),
        Calls = vends.Calls(),
        Refreshes = vends.Refreshed().ToDictionary(static kind => kind.Key, static kind => new { kind.Value.Requests, kind.Value.Errors }),
        Sts = new
        {
            options.IotCredentials.Sts.PermitsPerSecond,
            options.IotCredentials.Sts.MaxConcurrent,
            CallsPerSecond = Math.Round(vends.LastCalls("AssumeRole") / traffic.CountedSeconds, 3),
            Waiting = vends.Waiting(),
        },
        Organizations = vends.Organizations(),
        VendRecorder.MostOrganizations,
    };

    // A message when something has happened, at most one a second. The stream ends with the caller's token or key, when the policy no longer admits the caller,
    // and with the process.
    private async IAsyncEnumerable<string> StreamAsync(
        ClaimsPrincipal user, Func<Task<bool>> mayOperate, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(s_streamInterval, time);
        var caller = CallerIdentity.Of(user);
        var begun = time.GetTimestamp();
        var last = "";
        while (time.GetElapsedTime(begun) < s_longestStream && (caller is null || caller.ExpiresAt > time.GetUtcNow()) && !end.IsCancellationRequested
            && caller?.IsRevoked?.Invoke() != true && await mayOperate())
        {
            traffic.Look();
            var current = JsonSerializer.Serialize(new { Refused = traffic.LastRefused(null), Events = events.Newest(), Vends = vends.Recent() }, s_json);
            if (current != last) yield return last = current;
            try
            {
                await timer.WaitForNextTickAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                yield break;
            }
        }
    }

    private object Events(string? route) => new
    {
        Now = time.GetUtcNow(),
        Started = _started,
        traffic.Since,
        Refused = traffic.LastRefused(route),
        Events = route is null ? events.Newest() : [],
        Vends = route is null ? vends.Recent() : [],
    };

    // The framework's own attribute is one of MVC.
    private sealed record RequestSizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}
