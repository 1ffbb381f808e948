using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox.IotDataPlane;

/// <summary>
/// Emulates the data endpoint of AWS IoT: MQTT 3.1.1 and 5 over WebSocket at <c>/mqtt</c>, and publishing, shadows and retained messages over HTTP. One address
/// stands for the endpoints of all accounts and regions: the session that signs a request decides which of them it reaches. Sessions are those of an
/// <see cref="AwsEmulator"/>, and their policies decide what they may do.
/// </summary>
public sealed class IotDataEndpoint : IAsyncDisposable
{
    private const string MqttService = "iotdevicegateway";
    private const string HttpService = "iotdata";
    private const string SubProtocol = "mqtt";

    private readonly TimeProvider _time;
    private readonly RequestAuthentication _authentication;
    private readonly IReadOnlyList<string> _organizations;
    private readonly ConcurrentDictionary<(string Account, string Region), Lazy<Task<Place>>> _places = new();
    private LocalServer _server = null!;

    private IotDataEndpoint(AwsEmulator aws, IReadOnlyList<string> organizations)
    {
        _time = aws.Time;
        _authentication = new RequestAuthentication(aws);
        _organizations = organizations;
    }

    /// <summary>The address of HTTP requests: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The address of WebSockets: <c>ws://127.0.0.1:PORT/mqtt</c>.</summary>
    public string MqttUrl => $"ws://127.0.0.1:{_server.Port}/mqtt";

    /// <summary>The AWS SDK's own environment variable, which directs a process to this endpoint.</summary>
    public KeyValuePair<string, string> EnvironmentVariable => KeyValuePair.Create("AWS_ENDPOINT_URL_IOT_DATA_PLANE", Url);

    /// <summary>Starts the endpoint.</summary>
    /// <param name="aws">The emulator whose sessions may connect.</param>
    /// <param name="port">0 lets the system pick one.</param>
    /// <param name="organizations">The organizations that have a simulated device, in each account and region that a session connects to. Default: none.</param>
    /// <returns>The running endpoint.</returns>
    public static async Task<IotDataEndpoint> StartAsync(AwsEmulator aws, int port = 0, params IReadOnlyList<string> organizations)
    {
        var endpoint = new IotDataEndpoint(aws, organizations);
        endpoint._server = await LocalServer.StartAsync(port, endpoint.RespondAsync);
        return endpoint;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Ends the connections, too.
        await _server.DisposeAsync();
        foreach (var place in _places.Values) await (await place.Value).DisposeAsync();
    }

    /// <summary>The broker of an account and region.</summary>
    internal async Task<MqttBroker> BrokerAsync(string account, string region) => (await PlaceAsync(account, region)).Broker;

    private Task<Place> PlaceAsync(string account, string region) =>
        _places.GetOrAdd((account, region), _ => new Lazy<Task<Place>>(() => Place.StartAsync(_time, _organizations))).Value;

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var request = context.Request;
        context.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        context.Response.Headers.Date = _time.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        // Names in the path are percent-encoded; Kestrel would leave only the slashes so.
        var path = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0];
        if (path == "/mqtt")
        {
            await MqttAsync(context, cancellationToken);
            return;
        }

        if (await ReadAsync(request, cancellationToken) is not { } body)
        {
            await WriteAsync(context, StatusCodes.Status413PayloadTooLarge, "RequestEntityTooLargeException", "Payload Too Large");
            return;
        }

        var (session, refusal) = _authentication.Authenticate(request, HttpService, AwsSignature.Read(request), body);
        if (session is null)
        {
            await WriteAsync(context, StatusCodes.Status403Forbidden, "ForbiddenException", refusal!);
            return;
        }

        var broker = await BrokerAsync(session.Credentials.Account, session.Region);
        var call = new HttpDataPlane(context, new DataPlaneSession(session, SourceIp(context)), broker, body);
        await call.RespondAsync(path);
    }

    private async Task MqttAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains(SubProtocol))
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, "BadRequestException", $"A WebSocket with the subprotocol {SubProtocol} is required.");
            return;
        }

        var (session, refusal) = _authentication.Authenticate(context.Request, MqttService, AwsSignature.ReadQuery(context.Request), []);
        if (session is null)
        {
            await WriteAsync(context, StatusCodes.Status403Forbidden, "ForbiddenException", refusal!);
            return;
        }

        var broker = await BrokerAsync(session.Credentials.Account, session.Region);
        using var socket = await context.WebSockets.AcceptWebSocketAsync(SubProtocol);
        await broker.RunAsync(socket, new DataPlaneSession(session, SourceIp(context)), cancellationToken);
    }

    private static string SourceIp(HttpContext context) => context.Connection.RemoteIpAddress!.ToString();

    private static async Task<byte[]?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (body.Length + read > MqttBroker.MaxPayload) return null;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    internal static Task WriteAsync(HttpContext context, int status, string error, string message)
    {
        context.Response.Headers["x-amzn-ErrorType"] = error;
        return WriteAsync(context, status, new JsonObject { ["message"] = message });
    }

    internal static async Task WriteAsync(HttpContext context, int status, JsonObject body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body));
    }

    /// <summary>An account and region: its broker, and the devices there.</summary>
    private sealed class Place(MqttBroker broker, IReadOnlyList<SimulatedDevice> devices) : IAsyncDisposable
    {
        public MqttBroker Broker => broker;

        public static async Task<Place> StartAsync(TimeProvider time, IReadOnlyList<string> organizations)
        {
            var broker = await MqttBroker.StartAsync(time);
            return new Place(broker, [.. organizations.Select(organization => SimulatedDevice.Start(organization, broker, time))]);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var device in devices) await device.DisposeAsync();
            await broker.DisposeAsync();
        }
    }
}
