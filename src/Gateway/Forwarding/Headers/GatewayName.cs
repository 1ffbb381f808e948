using System.Security.Cryptography;
using System.Text;
using Gateway.Configuration.Snapshots;
using Gateway.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Http;

namespace Gateway.Forwarding.Headers;

/// <summary>
/// The gateway's name in <c>Via</c> (RFC 9110, 7.6.3). It is derived from the routes and destinations at start: all replicas of a deployment share one name,
/// and a gateway behind another gateway has a name of its own.
/// </summary>
internal sealed class GatewayName(string name)
{
    private const int DigestLength = 12;

    private readonly string _http10 = $"1.0 {name}";
    private readonly string _http11 = $"1.1 {name}";
    private readonly string _http2 = $"2.0 {name}";

    public static GatewayName Of(Snapshot configuration)
    {
        var routes = configuration.Routes.Select(route => $"{route.RouteId} {route.Match.Path} {route.ClusterId}");
        var destinations = configuration.Clusters.SelectMany(cluster =>
            cluster.Destinations?.Select(destination => $"{cluster.ClusterId} {destination.Key} {Origin(destination.Value.Address)}") ?? []);
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', routes.Concat(destinations).Order(StringComparer.Ordinal))));
        return new($"iot-gateway-{Convert.ToHexStringLower(digest)[..DigestLength]}");
    }

    public override string ToString() => name;

    /// <summary>Whether a request has already passed through this gateway or another of its replicas.</summary>
    public bool IsIn(HttpRequest request)
    {
        foreach (var value in request.Headers.Via)
        {
            if (value?.Contains(name, StringComparison.OrdinalIgnoreCase) == true) return true;
        }

        return false;
    }

    /// <summary>A request's <c>Via</c>, with the gateway appended.</summary>
    public string ContinuedVia(HttpRequest request)
    {
        var own = HttpProtocol.IsHttp2(request.Protocol) ? _http2 : HttpProtocol.IsHttp10(request.Protocol) ? _http10 : _http11;
        var before = request.Headers.Via;
        return before.Count == 0 ? own : $"{before}, {own}";
    }

    // An address may hold a user and a password, and every service sees the name.
    private static string Origin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? FailureText.Address(uri) : "";
}

/// <summary>Rejects requests that loop: 508, before any call to an issuer or a service.</summary>
internal static class LoopDetection
{
    public static void UseLoopDetection(this IApplicationBuilder app)
    {
        var gateway = app.ApplicationServices.GetRequiredService<GatewayName>();
        app.Use((context, next) => gateway.IsIn(context.Request)
            ? ErrorResponse.WriteAsync(context, StatusCodes.Status508LoopDetected, GatewayReason.Loop)
            : next(context));
    }
}
