using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using IotCredentials.Failures;
using IotCredentials.Operations;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Gateway.Commands.Doctor;

/// <summary>AWS IoT's decision about an operation. If it is neither, the operation fails with an exception.</summary>
internal enum IotDecision
{
    Done,
    Refused,
}

/// <summary>
/// A client of an organization's session at the data endpoint of AWS IoT: MQTT 5 over WebSocket, whose packets say why something is refused, and HTTPS. Each
/// operation has a timeout.
/// </summary>
/// <param name="session">The session.</param>
/// <param name="endpoint">The address of the data endpoint.</param>
/// <param name="mark">The beginning of the payloads to keep. Others are ignored.</param>
/// <param name="timeout">The longest that an operation may take.</param>
/// <param name="ended">Ends every operation.</param>
internal sealed class IotDataClient(TrialSession session, Uri endpoint, string mark, TimeSpan timeout, CancellationToken ended) : IAsyncDisposable
{
    private const int MaxResponse = 64 * 1024;

    // The environment's proxy would see what is sent to an emulator on this machine, which may be plain text.
    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = !endpoint.IsLoopback })
    {
        Timeout = timeout,
        MaxResponseContentBufferSize = MaxResponse,
    };

    private readonly SemaphoreSlim _arrived = new(0);
    private readonly ConcurrentQueue<(string Topic, string Payload)> _received = new();
    private IMqttClient? _mqtt;
    private TaskCompletionSource<MqttClientDisconnectReason> _goodbye = new();

    public TrialSession Session => session;

    /// <summary>The messages of this trial that have arrived: topics and payloads.</summary>
    public IReadOnlyCollection<(string Topic, string Payload)> Received => _received;

    /// <summary>The client id of the connection that other operations use; null if the session may not connect.</summary>
    public string? ClientId { get; set; }

    /// <summary>Connects with a client id, in place of an open connection.</summary>
    public async Task<IotDecision> ConnectAsync(string clientId)
    {
        await DisconnectAsync();
        var mqtt = new MqttClientFactory().CreateMqttClient();
        mqtt.ApplicationMessageReceivedAsync += KeepAsync;
        var goodbye = new TaskCompletionSource<MqttClientDisconnectReason>(TaskCreationOptions.RunContinuationsAsynchronously);
        mqtt.DisconnectedAsync += disconnected =>
        {
            goodbye.TrySetResult(disconnected.Reason);
            return Task.CompletedTask;
        };
        (_mqtt, _goodbye) = (mqtt, goodbye);
        var options = new MqttClientOptionsBuilder().WithClientId(clientId).WithProtocolVersion(MqttProtocolVersion.V500).WithCleanStart()
            .WithTimeout(timeout).WithWebSocketServer(server =>
            {
                server.WithUri(Signature().WebSocketUrl(endpoint));
                // Options without an address turn the environment's proxy off.
                if (endpoint.IsLoopback) server.WithProxyOptions(new MqttClientWebSocketProxyOptions());
            });
        MqttClientConnectResult result;
        try
        {
            result = await BoundedAsync(cancellation => mqtt.ConnectAsync(options.Build(), cancellation));
        }
        catch (Exception e) when (!ended.IsCancellationRequested)
        {
            throw Failure($"no MQTT connection: {CauseOf(e)}");
        }

        return result.ResultCode switch
        {
            MqttClientConnectResultCode.Success => IotDecision.Done,
            MqttClientConnectResultCode.NotAuthorized => IotDecision.Refused,
            var other => throw Failure($"CONNECT was not accepted ({other})"),
        };
    }

    /// <summary>Opens a connection with <see cref="ClientId"/>, without subscriptions.</summary>
    public async Task ReconnectAsync()
    {
        if (await ConnectAsync(ClientId!) == IotDecision.Refused) throw Failure($"the client id {ClientId} is refused now, and was not before");
    }

    /// <summary>Publishes with quality of service 1. A refusal may end the connection.</summary>
    public Task<IotDecision> PublishAsync(string topic, string payload, bool retain = false) => UseAsync($"PUBLISH to {topic}", async (mqtt, cancellation) =>
    {
        var message = new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new(Encoding.UTF8.GetBytes(payload)),
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            Retain = retain,
        };
        return (int)(await mqtt.PublishAsync(message, cancellation)).ReasonCode;
    });

    /// <summary>Subscribes until the connection ends.</summary>
    public Task<IotDecision> SubscribeAsync(string filter) => UseAsync($"SUBSCRIBE to {filter}", async (mqtt, cancellation) =>
    {
        var result = await mqtt.SubscribeAsync(filter, MqttQualityOfServiceLevel.AtLeastOnce, cancellation);
        return (int)result.Items.Single().ResultCode;
    });

    /// <summary>Sends a request over HTTPS. A resource that does not exist, and a conflict, are reached: AWS says so only to those who may know.</summary>
    public async Task<IotDecision> SendAsync(HttpMethod method, string path, string query = "", string body = "")
    {
        using var request = Signature().Request(method, endpoint, path, query, Encoding.UTF8.GetBytes(body));
        HttpStatusCode status;
        string text;
        try
        {
            using var response = await _http.SendAsync(request, ended);
            (status, text) = (response.StatusCode, await response.Content.ReadAsStringAsync(ended));
        }
        catch (Exception e) when (!ended.IsCancellationRequested)
        {
            throw Failure($"no response over HTTPS: {FailureText.Of(e, endpoint)}");
        }

        switch (status)
        {
            case HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.Conflict:
                return IotDecision.Done;
            // A wrong signature and a proxy's refusal are a 403 as well, with other words.
            case HttpStatusCode.Forbidden when IsPlainForbidden(text):
                return IotDecision.Refused;
            default:
                throw Failure($"{method} {path}: {(int)status}, which does not say whether the policy allows it");
        }
    }

    /// <summary>Waits until a message of this trial has arrived; false if it does not in time.</summary>
    public async Task<bool> WaitForAsync(string payload)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ended);
        deadline.CancelAfter(timeout);
        try
        {
            while (!_received.Any(message => message.Payload == payload)) await _arrived.WaitAsync(deadline.Token);
            return true;
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        _http.Dispose();
        _arrived.Dispose();
    }

    private Task KeepAsync(MqttApplicationMessageReceivedEventArgs arrived)
    {
        if (arrived.ApplicationMessage.ConvertPayloadToString() is { } payload && payload.StartsWith(mark, StringComparison.Ordinal))
        {
            _received.Enqueue((arrived.ApplicationMessage.Topic, payload));
            _arrived.Release();
        }

        return Task.CompletedTask;
    }

    // A refused PUBLISH ends the connection, so the next operation opens another. This also shows that the connection is not what failed.
    private async Task<IotDecision> UseAsync(string what, Func<IMqttClient, CancellationToken, Task<int>> operation)
    {
        if (_mqtt is not { IsConnected: true }) await ReconnectAsync();
        int reason;
        try
        {
            reason = await BoundedAsync(cancellation => operation(_mqtt!, cancellation));
        }
        catch (Exception e) when (!ended.IsCancellationRequested)
        {
            if (e is OperationCanceledException && _mqtt!.IsConnected) throw Failure($"{what}: {CauseOf(e)}");
            if (await GoodbyeAsync() is not MqttClientDisconnectReason.NotAuthorized and var other)
                throw Failure($"{what} ended the connection ({other}), which does not say whether the policy allows it");
            await ReconnectAsync();
            return IotDecision.Refused;
        }

        return reason switch
        {
            (int)MqttClientPublishReasonCode.NotAuthorized => IotDecision.Refused,
            // From 128, a packet's reason code is an error.
            < 128 => IotDecision.Done,
            _ => throw Failure($"{what}: reason code {reason}, which does not say whether the policy allows it"),
        };
    }

    private async Task<MqttClientDisconnectReason> GoodbyeAsync()
    {
        try
        {
            return await _goodbye.Task.WaitAsync(timeout, ended);
        }
        catch (TimeoutException)
        {
            return MqttClientDisconnectReason.UnspecifiedError;
        }
    }

    private async Task DisconnectAsync()
    {
        if (_mqtt is not { } mqtt) return;
        _mqtt = null;
        try
        {
            if (mqtt.IsConnected) await mqtt.DisconnectAsync(new MqttClientDisconnectOptions(), CancellationToken.None).WaitAsync(timeout);
        }
        catch (Exception)
        {
            // It is disposed of, whatever happens.
        }

        try
        {
            mqtt.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // The broker has just ended the connection, and the client's own clean-up came first.
        }
    }

    private async Task<T> BoundedAsync<T>(Func<CancellationToken, Task<T>> operation)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ended);
        deadline.CancelAfter(timeout);
        return await operation(deadline.Token).WaitAsync(deadline.Token);
    }

    private SignatureV4 Signature() => new(session.Credentials, session.Region, TimeProvider.System.GetUtcNow());

    private string CauseOf(Exception error)
    {
        for (var cause = error; cause is not null; cause = cause.InnerException)
        {
            if (cause is WebSocketException { WebSocketErrorCode: WebSocketError.NotAWebSocket })
                return "the endpoint does not accept the WebSocket: compare the region, the endpoint and this machine's clock, and look for a proxy on the way";
        }

        return FailureText.Of(error, endpoint);
    }

    private VendingException Failure(string cause) =>
        new(FailureClass.Unavailable, $"{session.Organization} at {endpoint.Authority}: {cause}. Nothing is known about isolation: repair this first");

    private static bool IsPlainForbidden(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String && message.GetString() == "Forbidden";
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
