using System.Collections;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;
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
internal sealed partial class ConsoleApi(
    ConsoleRoutes routes, TrafficRecorder traffic, RefusedRequests refused, VendRecorder vends, EventRecorder events, HealthCheckService checks,
    HealthHistory health,
    ConfigurationReloader reloader, SnapshotConfigurationProvider snapshots, GatewayOptions options, IServiceProvider services,
    IHostApplicationLifetime lifetime, TimeProvider time)
    : IDisposable
{
    private const int MostFindings = 100;
    private const int MostOthers = 10;
    private static readonly TimeSpan s_streamInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestStream = TimeSpan.FromMinutes(15);
    private const int MostExplained = 64 * 1024;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly DateTimeOffset _started = time.GetUtcNow();

    // Explaining builds a router per route.
    private readonly SemaphoreSlim _explaining = new(1);

    /// <summary>Maps the API. The returned group has to be authorized.</summary>
    /// <param name="endpoints">The endpoints of the management listener.</param>
    /// <param name="mayOperate">Whether a caller may use the API now, for a stream that outlasts its request's authorization.</param>
    public IEndpointConventionBuilder Map(IEndpointRouteBuilder endpoints, Func<ClaimsPrincipal, object?, Task<bool>> mayOperate)
    {
        var api = endpoints.MapGroup("/api");
        api.AddEndpointFilter((context, next) =>
        {
            traffic.Look();
            context.HttpContext.Response.Headers.CacheControl = "no-store";
            return next(context);
        });
        api.MapGet("/status", async (CancellationToken cancellation) => Json(await StatusAsync(cancellation)));
        api.MapGet("/routes", () => Json(new { Now = time.GetUtcNow(), Started = _started, Routes = routes.Routes() }));
        api.MapGet("/clusters", () => Json(new { Now = time.GetUtcNow(), Started = _started, Clusters = routes.Clusters() }));
        api.MapGet("/vending", () => Json(Vending()));
        api.MapGet("/events", (string? route) => Json(Events(route)));
        api.MapGet("/stream", (HttpContext context) => TypedResults.ServerSentEvents(
            StreamAsync(context.User, () => mayOperate(context.User, context), context.RequestAborted), "events"));
        api.MapPost("/explain", async (ExplainForm form, CancellationToken cancellation) => Json(await ExplainAsync(form, cancellation)))
            .WithMetadata(new RequestSizeLimit(MostExplained));
        return api;
    }

    public void Dispose() => _explaining.Dispose();

    // The trace id of a traceparent (W3C Trace Context) is its second part.
    [GeneratedRegex("^(?:[0-9a-fA-F]{2}-(?<id>[0-9a-fA-F]{32})-[0-9a-fA-F]{16}-[0-9a-fA-F]{2}|(?<id>[0-9a-fA-F]{32}))$")]
    private static partial Regex RequestIdText();

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

    private static Dictionary<string, string?> Variables() => Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .ToDictionary(static variable => (string)variable.Key, static variable => (string?)variable.Value);

    private object Events(string? route) => new
    {
        Now = time.GetUtcNow(),
        Started = _started,
        traffic.Since,
        Refused = traffic.LastRefused(route),
        Events = route is null ? events.Newest() : [],
        Vends = route is null ? vends.Recent() : [],
    };

    private async Task<object> ExplainAsync(ExplainForm form, CancellationToken cancellation)
    {
        await _explaining.WaitAsync(cancellation);
        try
        {
            var explainer = new Explainer(snapshots.Current, Variables(), services, routes.Endpoints());
            if (!string.IsNullOrWhiteSpace(form.Logged)) return await ExplainLoggedAsync(explainer, form.Logged.Trim());
            var host = string.IsNullOrEmpty(form.Host) ? null : form.Host;
            var method = string.IsNullOrEmpty(form.Method) ? HttpMethods.Get : form.Method;
            var organization = string.IsNullOrEmpty(form.Organization) ? null : form.Organization;
            var request = form.Path is ['/', ..] ? new ExplainedRequest(method, form.Path, host ?? ExplainedRequest.AnyHost)
                : organization is not null && string.IsNullOrEmpty(form.Path) ? explainer.FirstModuleRequest(organization, method, host)
                : null;
            if (request is null) return new { Problem = "There is no request to explain: write a path that begins with /, or an organization." };
            var token = string.IsNullOrWhiteSpace(form.Token) ? null : form.Token.Trim();
            return await explainer.ExplainAsync(request, organization, token, apiKey: null);
        }
        finally
        {
            _explaining.Release();
        }
    }

    private async Task<object> ExplainLoggedAsync(Explainer explainer, string text)
    {
        if (text.StartsWith('{'))
            return LoggedRequest.Read(text, out var problem) is { } line ? await LoggedExplanation.OfAsync(explainer, line) : new { Problem = problem };
        if (RequestIdText().Match(text) is not { Success: true } written)
        {
            return new
            {
                Problem = "This is no line of the access log, which begins with {, and no request id or trace id: these are 32 hexadecimal digits. "
                    + "A traceparent is read as well.",
            };
        }

        var found = refused.Find(written.Groups["id"].Value);
        if (found.Count == 0)
        {
            return new
            {
                Problem = "This replica has refused no such request in the last 15 minutes, or more of its kind since: it keeps the last "
                    + $"{RefusedRequests.PerReason} for each reason. Requests that were served, or that a service refused itself, are not kept. "
                    + "Look for the id in the access log, and give the whole line.",
            };
        }

        var explained = await LoggedExplanation.OfAsync(explainer, LoggedRequest.Of(found[0]));
        return found.Count == 1 ? explained : explained with
        {
            Notes =
            [
                .. explained.Notes,
                $"{found.Count - 1} more refused requests have this trace id; the newest is explained. Others: "
                + string.Join(", ", found.Skip(1).Take(MostOthers).Select(static request => request.RequestId)),
            ],
        };
    }

    // The framework's own attribute is one of MVC.
    private sealed record RequestSizeLimit(long? MaxRequestBodySize) : IRequestSizeLimitMetadata;
}

/// <summary>
/// The request that an operator asks about. <c>Logged</c> is a line of the access log, a request id or a trace id; the other members are not read then.
/// </summary>
internal sealed record ExplainForm(string? Method, string? Path, string? Host, string? Organization, string? Token, string? Logged);
