using System.Text.Json.Nodes;
using IotCredentials.Http;

namespace Gateway.ApiReference;

/// <summary>An error response that the gateway makes itself, as the edge's document describes it.</summary>
/// <param name="Status">The status.</param>
/// <param name="Description">When it is sent.</param>
/// <param name="Header">The header that it has beside those of every error response; null if none.</param>
internal sealed record GatewayResponse(int Status, string Description, string? Header = null)
{
    private const string RetryAfter = "Retry-After";
    private const string Busy = "The limit of the route is used up, or the client's address has sent too many invalid tokens or keys.";

    private static readonly GatewayResponse s_unprocessable =
        new(422, "The organization id is malformed, or minimumLifetime is no number of seconds that can be guaranteed.");

    private static readonly GatewayResponse[] s_ofEveryRoute =
    [
        new(400, "The request is malformed, or its path could be read in two ways. Framing that cannot be parsed gets a 400 without a body."),
        new(401, "No token or key was sent, or it is not valid.", "WWW-Authenticate"),
        new(403, "The caller is not allowed to do this, or is no member of the organization."),
        new(421, "The host of the request needs a connection of its own, with its name in the TLS handshake."),
        new(429, Busy, RetryAfter),
        new(500, "The gateway failed."),
        new(503, "A system that the request needs is not available.", RetryAfter),
        new(504, "The time that the route allows has passed."),
        new(508, "The request came back to a gateway that it had passed before."),
    ];

    /// <summary>The errors of routes that vend credentials.</summary>
    public static IReadOnlyList<GatewayResponse> OfCredentialRoutes { get; } =
    [
        .. s_ofEveryRoute,
        new(405, "The method is not GET.", "Allow"),
        s_unprocessable,
    ];

    /// <summary>The errors that a client of a service can get from the gateway; 422 only if the path has an organization.</summary>
    public static IReadOnlyList<GatewayResponse> OfForwardedRoutes { get; } =
    [
        .. s_ofEveryRoute,
        new(408, "The request body did not arrive in time."),
        new(413, "The request body is too large."),
        s_unprocessable,
        new(431, "The headers of the request are larger than the service takes."),
        new(502, "The service gave no usable response."),
    ];

    public static IReadOnlyList<GatewayResponse> All { get; } = [.. OfCredentialRoutes.UnionBy(OfForwardedRoutes, static response => response.Status)];

    /// <summary>The body, as it is sent.</summary>
    public JsonObject Body { get; } = BodyOf(Status);

    /// <summary>The body's <c>error</c>, which is also the name of the response among the components.</summary>
    public string Name => (string)Body["error"]!;

    // The document describes the bytes that are written.
    private static JsonObject BodyOf(int status)
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        ErrorResponse.WriteAsync(context, status).GetAwaiter().GetResult();
        return JsonNode.Parse(body.ToArray())!.AsObject();
    }
}
