using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deployment.Tests;

/// <summary>What a client was told.</summary>
/// <param name="Status">The status.</param>
/// <param name="RetryAfter">The seconds of <c>Retry-After</c>; null without one.</param>
/// <param name="Asked">When the request came.</param>
/// <param name="Told">When the response was sent.</param>
internal sealed record FrontResponse(int Status, int? RetryAfter, TimeSpan Asked, TimeSpan Told);

/// <summary>A load balancer in front of a gateway: it passes requests on, can refuse them in the gateway's place, and records what its client was told.</summary>
internal sealed class GatewayFront : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false });
    private readonly ConcurrentQueue<(int Status, string? RetryAfter, string Body)> _refusals = new();
    private readonly ConcurrentQueue<FrontResponse> _responses = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly WebApplication _app;
    private readonly string _gateway;
    private volatile TaskCompletionSource? _hang;
    private int _hanging;

    private GatewayFront(WebApplication app, string gateway) => (_app, _gateway) = (app, gateway);

    public string Url => _app.Urls.Single();

    public IReadOnlyList<FrontResponse> Responses => [.. _responses];

    /// <summary>How many requests have come that were left without a response.</summary>
    public int Hanging => Volatile.Read(ref _hanging);

    public static async Task<GatewayFront> StartAsync(string gateway)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var front = new GatewayFront(builder.Build(), gateway);
        front._app.Run(front.RespondAsync);
        await front._app.StartAsync();
        return front;
    }

    /// <summary>Responds to the next request in the gateway's place.</summary>
    public void Refuse(int status, string? retryAfter = null, string body = "<html>not the gateway</html>") =>
        _refusals.Enqueue((status, retryAfter, body));

    /// <summary>Leaves requests without a response, until <see cref="GoOn"/>.</summary>
    public void Hang() => _hang = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Responds again, also to requests that still wait.</summary>
    public void GoOn()
    {
        var hang = _hang;
        _hang = null;
        hang?.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task RespondAsync(HttpContext context)
    {
        var asked = _clock.Elapsed;
        if (_hang is { } hang)
        {
            Interlocked.Increment(ref _hanging);
            await hang.Task.WaitAsync(context.RequestAborted);
        }

        var isRefused = _refusals.TryDequeue(out var refusal);
        var (status, retryAfter, body) = isRefused
            ? (refusal.Status, refusal.RetryAfter, Encoding.UTF8.GetBytes(refusal.Body))
            : await PassOnAsync(context);
        context.Response.ContentType = isRefused ? "text/html" : "application/json";
        _responses.Enqueue(new(status, int.TryParse(retryAfter, CultureInfo.InvariantCulture, out var seconds) ? seconds : null, asked, _clock.Elapsed));
        context.Response.StatusCode = status;
        if (retryAfter is not null) context.Response.Headers.RetryAfter = retryAfter;
        await context.Response.Body.WriteAsync(body);
    }

    private async Task<(int Status, string? RetryAfter, byte[] Body)> PassOnAsync(HttpContext context)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _gateway + context.Request.Path);
        request.Headers.TryAddWithoutValidation("Authorization", (string?)context.Request.Headers.Authorization);
        try
        {
            using var response = await _client.SendAsync(request, context.RequestAborted);
            return ((int)response.StatusCode, response.Headers.RetryAfter?.ToString(), await response.Content.ReadAsByteArrayAsync());
        }
        catch (HttpRequestException)
        {
            return (StatusCodes.Status502BadGateway, null, []);
        }
    }
}
