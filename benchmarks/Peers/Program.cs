// What the gateway is measured against, each as short as anyone would write it:
//   Peers kestrel|kestrel-jwt --urls URL --response FILE [--authority URL]    responds with a file's bytes
//   Peers yarp|yarp-jwt|yarp-user --urls URL --service URL [--authority URL] [--version 2]
//                                                                           passes everything on, by that version of HTTP; yarp-user limits callers and
//                                                                           logs requests too
// And a service:
//   Peers streams --urls URL                                                accepts WebSockets, and sends others one server-sent event; then nothing more
using System.Security.Claims;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.HttpLogging;
using Yarp.ReverseProxy.Configuration;

var builder = WebApplication.CreateBuilder(args[1..]);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var configuration = builder.Configuration;
var proxies = args[0].StartsWith("yarp", StringComparison.Ordinal);
var limitsAndLogs = args[0].EndsWith("-user", StringComparison.Ordinal);
var authenticates = limitsAndLogs || args[0].EndsWith("-jwt", StringComparison.Ordinal);

if (authenticates)
{
    builder.Services.AddAuthorization().AddAuthentication().AddJwtBearer(options =>
    {
        options.Authority = configuration["authority"];
        options.Audience = "api://gateway";
        options.RequireHttpsMetadata = false;
    });
}

if (limitsAndLogs)
{
    builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
    builder.Logging.AddFilter("Microsoft.AspNetCore.HttpLogging", LogLevel.Information);
    builder.Services.AddHttpLogging(options =>
    {
        options.LoggingFields = HttpLoggingFields.RequestMethod | HttpLoggingFields.RequestPath | HttpLoggingFields.RequestProtocol
            | HttpLoggingFields.ResponseStatusCode | HttpLoggingFields.Duration;
        options.CombineLogs = true;
    });
    builder.Services.AddRateLimiter(options => options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
        RateLimitPartition.GetTokenBucketLimiter(context.User.FindFirstValue(ClaimTypes.NameIdentifier) ?? "", _ => new()
        {
            TokenLimit = 1_000_000,
            TokensPerPeriod = 1_000_000,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        })));
}

if (proxies)
{
    builder.Services.AddReverseProxy().LoadFromMemory(
        [new RouteConfig { RouteId = "all", ClusterId = "service", Match = new() { Path = "/{**path}" } }],
        [
            new ClusterConfig
            {
                ClusterId = "service",
                Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = configuration["service"]! } },
                HttpRequest = configuration["version"] is { } version
                    ? new() { Version = Version.Parse($"{version}.0"), VersionPolicy = HttpVersionPolicy.RequestVersionExact }
                    : null,
            }
        ]);
}

var app = builder.Build();
if (limitsAndLogs)
{
    app.UseHttpLogging();
    app.UseAuthentication();
    app.UseAuthorization();
    app.UseRateLimiter();
}

IEndpointConventionBuilder route;
if (proxies)
{
    route = app.MapReverseProxy();
}
else if (args[0] == "streams")
{
    app.UseWebSockets();
    route = app.Map("/{**path}", Streams.HoldAsync);
}
else
{
    var response = File.ReadAllBytes(configuration["response"]!);
    route = app.MapGet("/{**path}", context =>
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = response.Length;
        return context.Response.Body.WriteAsync(response).AsTask();
    });
}

if (authenticates) route.RequireAuthorization();
app.Run();

internal static class Streams
{
    public static async Task HoldAsync(HttpContext context)
    {
        if (context.WebSockets.IsWebSocketRequest)
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.ReceiveAsync(new byte[1].AsMemory(), context.RequestAborted);
            return;
        }

        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync("data: 0\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);
        await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
