using System.Text;
using System.Threading.Channels;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using Sandbox;
using Sandbox.IotDataPlane;

namespace Testing;

/// <summary>An MQTT client of the emulated data endpoint. It signs by AWS's description, and keeps what it receives.</summary>
public sealed class MqttTestClient : IAsyncDisposable
{
    // If a wait fails, it must say so and not block the test run.
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly Channel<MqttApplicationMessage> _received = Channel.CreateUnbounded<MqttApplicationMessage>();
    private readonly TaskCompletionSource<MqttClientDisconnectedEventArgs> _disconnected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MqttTestClient()
    {
        _client.ApplicationMessageReceivedAsync += received => _received.Writer.WriteAsync(received.ApplicationMessage).AsTask();
        _client.DisconnectedAsync += disconnected =>
        {
            _disconnected.TrySetResult(disconnected);
            return Task.CompletedTask;
        };
    }

    /// <summary>The response to CONNECT.</summary>
    public MqttClientConnectResult Connected { get; private set; } = null!;

    public bool IsConnected => _client.IsConnected;

    /// <summary>Connects; the response says whether the broker let it.</summary>
    public static async Task<MqttTestClient> ConnectAsync(
        IotDataEndpoint endpoint,
        AwsCredentials credentials,
        string clientId,
        MqttProtocolVersion version = MqttProtocolVersion.V311,
        Action<MqttClientOptionsBuilder>? change = null,
        string region = "ap-northeast-1")
    {
        var client = new MqttTestClient();
        var url = new PresignedUrl(endpoint.MqttUrl, credentials) { Region = region }.ToString();
        var options = new MqttClientOptionsBuilder().WithClientId(clientId).WithProtocolVersion(version).WithTimeout(s_limit)
            .WithWebSocketServer(server => server.WithUri(url));
        change?.Invoke(options);
        client.Connected = await client._client.ConnectAsync(options.Build());
        return client;
    }

    /// <summary>Subscribes, and returns the reason codes of the SUBACK.</summary>
    public async Task<IReadOnlyList<int>> SubscribeAsync(params string[] filters) =>
        await SubscribeAsync([.. filters.Select(filter => (filter, MqttQualityOfServiceLevel.AtLeastOnce))]);

    /// <summary>Subscribes, and returns the reason codes of the SUBACK.</summary>
    public async Task<IReadOnlyList<int>> SubscribeAsync(params (string Filter, MqttQualityOfServiceLevel Quality)[] filters)
    {
        var options = new MqttClientSubscribeOptions
        {
            TopicFilters = [.. filters.Select(filter => new MqttTopicFilter { Topic = filter.Filter, QualityOfServiceLevel = filter.Quality })],
        };
        var result = await _client.SubscribeAsync(options);
        return [.. result.Items.Select(item => (int)item.ResultCode)];
    }

    public Task UnsubscribeAsync(string filter) => _client.UnsubscribeAsync(filter);

    /// <summary>Publishes and waits for the PUBACK; false if the broker ended the connection instead.</summary>
    public async Task<bool> PublishAsync(
        string topic, string payload = "{}", bool retain = false, MqttQualityOfServiceLevel quality = MqttQualityOfServiceLevel.AtLeastOnce)
    {
        try
        {
            await _client.PublishAsync(new MqttApplicationMessage
            {
                Topic = topic,
                Payload = new(Encoding.UTF8.GetBytes(payload)),
                QualityOfServiceLevel = quality,
                Retain = retain,
            }).WaitAsync(s_limit);
            return true;
        }
        catch (Exception exception) when (exception is not TimeoutException)
        {
            return false;
        }
    }

    /// <summary>The next message.</summary>
    public async Task<(string Topic, string Payload)> ReceiveAsync()
    {
        using var limit = new CancellationTokenSource(s_limit);
        var message = await _received.Reader.ReadAsync(limit.Token);
        return (message.Topic, message.ConvertPayloadToString() ?? "");
    }

    /// <summary>The next message on a topic; others are skipped.</summary>
    public async Task<string> ReceiveAsync(string topic)
    {
        while (true)
        {
            if (await ReceiveAsync() is var (other, payload) && other == topic) return payload;
        }
    }

    /// <summary>Every message that has arrived. Wait for a later one first: a broker delivers in order.</summary>
    public IReadOnlyList<string> ReceivedTopics()
    {
        var topics = new List<string>();
        while (_received.Reader.TryRead(out var message)) topics.Add(message.Topic);
        return topics;
    }

    /// <summary>Waits until the broker ends the connection.</summary>
    public Task<MqttClientDisconnectedEventArgs> DisconnectedAsync() => _disconnected.Task.WaitAsync(s_limit);

    public Task DisconnectAsync() => _client.DisconnectAsync();

    public ValueTask DisposeAsync()
    {
        try
        {
            // Ends the connection without a DISCONNECT packet.
            _client.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // The broker has just ended the connection, and the client's own clean-up came first.
        }

        return ValueTask.CompletedTask;
    }
}
