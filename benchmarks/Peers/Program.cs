// What the gateway is measured against, each as short as anyone would write it:
//   Peers kestrel|kestrel-jwt --urls URL --answer FILE [--authority URL]    answers a file's bytes
//   Peers yarp|yarp-jwt --urls URL --service URL [--authority URL]          passes everything on
using Yarp.ReverseProxy.Configuration;

var builder = WebApplication.CreateBuilder(args[1..]);
builder.Logging.SetMinimumLevel(LogLevel.Warning);
var configuration = builder.Configuration;
var proxies = args[0].StartsWith("yarp", StringComparison.Ordinal);
var authenticates = args[0].EndsWith("-jwt", StringComparison.Ordinal);

if (authenticates)
{
    builder.Services.AddAuthorization().AddAuthentication().AddJwtBearer(options =>
    {
        options.Authority = configuration["authority"];
        options.Audience = "api://gateway";
        options.RequireHttpsMetadata = false;
    });
}

if (proxies)
{
    builder.Services.AddReverseProxy().LoadFromMemory(
        [new RouteConfig { RouteId = "all", ClusterId = "service", Match = new() { Path = "/{**path}" } }],
        [
            new ClusterConfig
            {
                ClusterId = "service",
                Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = configuration["service"]! } }
            }
        ]);
}

var app = builder.Build();
IEndpointConventionBuilder route;
if (proxies)
{
    route = app.MapReverseProxy();
}
else
{
    var answer = File.ReadAllBytes(configuration["answer"]!);
    route = app.MapGet("/{**path}", context =>
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = answer.Length;
        return context.Response.Body.WriteAsync(answer).AsTask();
    });
}

if (authenticates) route.RequireAuthorization();
app.Run();
