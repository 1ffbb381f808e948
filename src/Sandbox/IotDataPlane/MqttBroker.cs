using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using MQTTnet;
using MQTTnet.Adapter;
using MQTTnet.Diagnostics.Logger;
using MQTTnet.Formatter;
using MQTTnet.Packets;
using MQTTnet.Protocol;
using MQTTnet.Server;

namespace Sandbox.IotDataPlane;

/// <summary>
/// The message broker of one account and region. MQTTnet speaks MQTT, keeps sessions and retained messages and delivers. This class decides what each client
/// may do, by the policies of the role session that opened its connection, and adds shadows and shared subscriptions.
/// </summary>
internal sealed class MqttBroker : IAsyncDisposable
{
    /// <summary>AWS's limit.</summary>
    public const int MaxPayload = 128 * 1024;

    // AWS's limits.
    private const int MaxClientId = 128;
    private const int MaxSubscriptions = 50;
    private const int MaxFiltersPerRequest = 8;

    // The emulator's own: enough for any test, and a client that loops does not fill the memory.
    private const int MaxConnections = 500;
    private const int MaxSessions = 1000;
    private const int MaxRetained = 1000;
    private const int MaxPendingMessages = 250;

    private const string Filters = "filters";
    private const string SharedPrefix = "$share/";

    // Says on the way to the client through which group a message goes. No client can send it, since MQTT allows no such character.
    private const string GroupProperty = "\0group";

    private readonly TimeProvider _time;
    private readonly MqttServer _server;
    private readonly Adapter _adapter = new();
    private readonly ConcurrentDictionary<string, MqttConnection> _connections = new(StringComparer.Ordinal);
    private readonly SharedSubscriptions _shared = new();
    private readonly ShadowService _shadows;

    private MqttBroker(TimeProvider time)
    {
        _time = time;
        _shadows = new ShadowService(time, (topic, payload) => PublishAsync(topic, payload));
        var options = new MqttServerOptions { EnablePersistentSessions = true, MaxPendingMessagesPerClient = MaxPendingMessages };
        options.DefaultEndpointOptions.IsEnabled = false;
        _server = new MqttServer(options, [_adapter], MqttNetNullLogger.Instance);
        _server.ValidatingConnectionAsync += ConnectAsync;
        _server.InterceptingInboundPacketAsync += InboundAsync;
        _server.InterceptingPublishAsync += PublishAsync;
        _server.InterceptingSubscriptionAsync += SubscribeAsync;
        _server.InterceptingUnsubscriptionAsync += UnsubscribeAsync;
        _server.InterceptingClientEnqueueAsync += EnqueueAsync;
        _server.InterceptingOutboundPacketAsync += OutboundAsync;
    }

    public ShadowService Shadows => _shadows;

    /// <summary>Raised with each message that the broker has accepted, except for requests to shadows.</summary>
    public event Action<MqttApplicationMessage>? Published;

    public static async Task<MqttBroker> StartAsync(TimeProvider time)
    {
        var broker = new MqttBroker(time);
        await broker._server.StartAsync();
        return broker;
    }

    /// <summary>Serves a client until its connection ends, at the latest when the role session expires, as at AWS.</summary>
    public async Task RunAsync(WebSocket socket, DataPlaneSession session, CancellationToken stopping)
    {
        using var connection = new MqttConnection(socket, session);
        var rest = session.Expiration - _time.GetUtcNow();
        using var expired = new CancellationTokenSource(rest > TimeSpan.Zero ? rest : TimeSpan.Zero, _time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(expired.Token, stopping);
        await using var abort = ended.Token.Register(connection.Abort);
        try
        {
            using var adapter = new MqttChannelAdapter(
                connection, new MqttPacketFormatterAdapter(new MqttBufferWriter(4096, 65535)), MqttNetNullLogger.Instance);
            await _adapter.ClientHandler!(adapter);
        }
        finally
        {
            _connections.TryRemove(KeyValuePair.Create(connection.ClientId, connection));
            _shared.Remove(connection);
            connection.HasEnded();
        }
    }

    /// <summary>Publishes in the name of AWS, or of a caller whose right to it was checked.</summary>
    public Task PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, MqttQualityOfServiceLevel quality = MqttQualityOfServiceLevel.AtMostOnce, bool retain = false) =>
        _server.InjectApplicationMessage(new InjectedMqttApplicationMessage(new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new(payload),
            QualityOfServiceLevel = quality,
            Retain = retain,
        }));

    /// <summary>Publishes for a client whose right to it was checked; false if the topic is one of AWS's own that clients do not publish to.</summary>
    public async Task<bool> PublishAsClientAsync(string topic, byte[] payload, MqttQualityOfServiceLevel quality, bool retain)
    {
        if (IsReserved(topic)) return false;
        if (!await ConsumeAsync(topic, payload)) await PublishAsync(topic, payload, quality, retain);
        return true;
    }

    public Task<MqttApplicationMessage?> GetRetainedAsync(string topic) => _server.GetRetainedMessageAsync(topic)!;

    /// <summary>Whether one more message can be retained.</summary>
    public async Task<bool> CanRetainAsync(string topic) =>
        await GetRetainedAsync(topic) is not null || (await _server.GetRetainedMessagesAsync()).Count < MaxRetained;

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(new MqttServerStopOptions());
        _server.Dispose();
        _shadows.Dispose();
    }

    private async Task ConnectAsync(ValidatingConnectionEventArgs request)
    {
        var connection = (MqttConnection)request.RemoteEndPoint;
        connection.IsMqtt5 = request.ProtocolVersion == MqttProtocolVersion.V500;
        if (request.ClientId.Length == 0 && connection.IsMqtt5) request.AssignedClientIdentifier = Guid.NewGuid().ToString("N");
        connection.ClientId = request.ClientId.Length > 0 ? request.ClientId : request.AssignedClientIdentifier ?? "";
        request.ReasonCode = connection.ClientId.Length is 0 or > MaxClientId ? MqttConnectReasonCode.ClientIdentifierNotValid
            : !connection.Session.MayConnect(connection.ClientId) ? MqttConnectReasonCode.NotAuthorized
            : _connections.Count >= MaxConnections ? MqttConnectReasonCode.ServerUnavailable
            : MqttConnectReasonCode.Success;
        if (request.ReasonCode != MqttConnectReasonCode.Success) return;

        await RemoveOldestSessionAsync();
        // MQTTnet would do this itself. But while it cleans up after a connection that has just ended, it also ends a newer one with the same client id.
        while (!_connections.TryAdd(connection.ClientId, connection))
        {
            if (!_connections.TryGetValue(connection.ClientId, out var older)) continue;
            await EndAsync(older);
        }
    }

    private async Task EndAsync(MqttConnection older)
    {
        try
        {
            await DisconnectAsync(older, MqttDisconnectReasonCode.SessionTakenOver);
        }
        catch (InvalidOperationException)
        {
            // MQTTnet does not know the client: it is already gone, or not yet there.
            older.Abort();
        }

        await older.Ended;
    }

    // Persistent sessions would otherwise pile up.
    private async Task RemoveOldestSessionAsync()
    {
        var sessions = await _server.GetSessionsAsync();
        if (sessions.Count < MaxSessions) return;
        if (sessions.Where(static session => session.DisconnectedTimestamp is not null).MinBy(static session => session.DisconnectedTimestamp) is { } oldest)
            await oldest.DeleteAsync();
    }

    private async Task InboundAsync(InterceptingPacketEventArgs received)
    {
        if (received.Packet is not MqttSubscribePacket request) return;
        var connection = (MqttConnection)received.RemoteEndPoint;
        if (request.TopicFilters.Count > MaxFiltersPerRequest)
        {
            received.ProcessPacket = false;
            await DisconnectAsync(connection, MqttDisconnectReasonCode.QuotaExceeded);
            return;
        }

        connection.Requested = request.TopicFilters.ToDictionary<MqttTopicFilter, MqttTopicFilter, (string, MqttQualityOfServiceLevel)>(
            static filter => filter, static filter => (filter.Topic, filter.QualityOfServiceLevel), ReferenceEqualityComparer.Instance);
        foreach (var filter in request.TopicFilters)
        {
            // MQTTnet responds in the order of the filters' levels. They are made equal, so that the order is the client's.
            filter.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
            // It refuses shared subscriptions by this prefix before it asks.
            if (filter.Topic.StartsWith(SharedPrefix, StringComparison.Ordinal)) filter.Topic = "shared";
        }
    }

    private async Task PublishAsync(InterceptingPublishEventArgs request)
    {
        var message = request.ApplicationMessage;
        // MQTTnet gives these to a message of the server's own.
        if (!ReferenceEquals(request.SessionItems, _server.ServerSessionItems))
        {
            // The last will of a client that is gone comes here, too.
            var connection = _connections.GetValueOrDefault(request.ClientId);
            var refusal = connection is null ? MqttDisconnectReasonCode.UnspecifiedError : await FindRefusalAsync(connection, message);
            if (refusal is { } reason)
            {
                connection?.DisconnectReason = reason;
                request.ProcessPublish = false;
                request.CloseConnection = true;
                return;
            }

            if (await ConsumeAsync(message.Topic, message.Payload.ToArray()))
            {
                request.ProcessPublish = false;
                return;
            }
        }

        await DeliverSharedAsync(message);
        Published?.Invoke(message);
    }

    private async Task<MqttDisconnectReasonCode?> FindRefusalAsync(MqttConnection connection, MqttApplicationMessage message)
    {
        var (topic, session) = (message.Topic, connection.Session);
        if (!MqttTopics.IsTopic(topic)) return MqttDisconnectReasonCode.TopicNameInvalid;
        if (message.Payload.Length > MaxPayload) return MqttDisconnectReasonCode.PacketTooLarge;
        if (message.QualityOfServiceLevel == MqttQualityOfServiceLevel.ExactlyOnce) return MqttDisconnectReasonCode.QoSNotSupported;
        var mayPublish = message.Retain ? session.MayRetain(connection.ClientId, topic) : session.MayPublish(connection.ClientId, topic);
        if (!mayPublish) return MqttDisconnectReasonCode.NotAuthorized;
        if (message.Retain && !await CanRetainAsync(topic)) return MqttDisconnectReasonCode.QuotaExceeded;
        return IsReserved(topic) ? MqttDisconnectReasonCode.TopicNameInvalid : null;
    }

    /// <summary>Handles a client's message that is for AWS, which no client receives; false if it is for clients.</summary>
    private async Task<bool> ConsumeAsync(string topic, byte[] payload)
    {
        if (ShadowTopic.ReadRequest(topic) is not { } request) return IsBasicIngest(topic);
        await _shadows.HandleAsync(request, payload);
        return true;
    }

    // Of AWS's own topics, clients publish to these only.
    private static bool IsReserved(string topic) => topic.StartsWith('$') && !IsBasicIngest(topic) && ShadowTopic.ReadRequest(topic) is null;

    // The emulator has no rules, so the message goes nowhere.
    private static bool IsBasicIngest(string topic) => topic.StartsWith("$aws/rules/", StringComparison.Ordinal);

    private Task SubscribeAsync(InterceptingSubscriptionEventArgs request)
    {
        if (!_connections.TryGetValue(request.ClientId, out var connection) || !connection.Requested.TryGetValue(request.TopicFilter, out var requested))
        {
            request.ProcessSubscription = false;
            request.CloseConnection = true;
            return Task.CompletedTask;
        }

        var filter = requested.Filter;
        // MQTTnet keeps these with the session, which can outlive the connection.
        var filters = (HashSet<string>)(request.SessionItems[Filters] ??= new HashSet<string>(StringComparer.Ordinal));
        var isShared = filter.StartsWith(SharedPrefix, StringComparison.Ordinal);
        var shared = MqttTopics.Shared(filter);
        var refusal = (isShared ? shared is null : !MqttTopics.IsFilter(filter)) ? MqttSubscribeReasonCode.TopicFilterInvalid
            : !connection.Session.MaySubscribe(connection.ClientId, filter) ? MqttSubscribeReasonCode.NotAuthorized
            : filters.Count >= MaxSubscriptions && !filters.Contains(filter) ? MqttSubscribeReasonCode.QuotaExceeded
            : (MqttSubscribeReasonCode?)null;
        if (refusal is { } reason)
        {
            request.ProcessSubscription = false;
            request.Response.ReasonCode = connection.IsMqtt5 ? reason : MqttSubscribeReasonCode.UnspecifiedError;
            return Task.CompletedTask;
        }

        filters.Add(filter);
        // AWS has no QoS 2.
        var quality = requested.Quality == MqttQualityOfServiceLevel.AtMostOnce ? requested.Quality : MqttQualityOfServiceLevel.AtLeastOnce;
        request.Response.ReasonCode = (MqttSubscribeReasonCode)quality;
        if (shared is { } member)
        {
            request.ProcessSubscription = false;
            _shared.Add(member.Group, member.Filter, connection, quality);
        }

        return Task.CompletedTask;
    }

    // Must not wait for anything: MQTTnet holds a lock that belongs to its thread.
    private Task UnsubscribeAsync(InterceptingUnsubscriptionEventArgs request)
    {
        (request.SessionItems[Filters] as HashSet<string>)?.Remove(request.Topic);
        if (MqttTopics.Shared(request.Topic) is { } member && _connections.TryGetValue(request.ClientId, out var connection)
            && _shared.Remove(member.Group, member.Filter, connection))
            request.Response.ReasonCode = MqttUnsubscribeReasonCode.Success;
        return Task.CompletedTask;
    }

    private Task EnqueueAsync(InterceptingClientApplicationMessageEnqueueEventArgs delivery)
    {
        // A message for a client that is away is judged when it is sent.
        delivery.AcceptEnqueue = !_connections.TryGetValue(delivery.ReceiverClientId, out var connection)
            || connection.Session.MayReceive(connection.ClientId, delivery.ApplicationMessage.Topic);
        return Task.CompletedTask;
    }

    private Task OutboundAsync(InterceptingPacketEventArgs sent)
    {
        var connection = (MqttConnection)sent.RemoteEndPoint;
        switch (sent.Packet)
        {
            // Retained and stored messages, and those of shared subscriptions, are judged here only.
            case MqttPublishPacket message:
                sent.ProcessPacket = ShareGroup(message) is { } group
                    ? connection.Session.MayReceive(connection.ClientId, group, message.Topic)
                    : connection.Session.MayReceive(connection.ClientId, message.Topic);
                message.UserProperties?.RemoveAll(static property => property.Name == GroupProperty);
                break;
            case MqttConnAckPacket response:
                response.SharedSubscriptionAvailable = true;
                response.MaximumQoS = MqttQualityOfServiceLevel.AtLeastOnce;
                break;
            case MqttDisconnectPacket goodbye when goodbye.ReasonCode == MqttDisconnectReasonCode.UnspecifiedError:
                goodbye.ReasonCode = connection.DisconnectReason;
                break;
        }

        return Task.CompletedTask;
    }

    private async Task DeliverSharedAsync(MqttApplicationMessage message)
    {
        foreach (var (receiver, group, quality) in _shared.Next(message.Topic))
        {
            var session = (await _server.GetSessionsAsync()).FirstOrDefault(session => session.Id == receiver.ClientId);
            session?.TryEnqueueApplicationMessage(
                new MqttApplicationMessage
                {
                    Topic = message.Topic,
                    Payload = message.Payload,
                    QualityOfServiceLevel = message.QualityOfServiceLevel < quality ? message.QualityOfServiceLevel : quality,
                    UserProperties = [.. message.UserProperties ?? [], new(GroupProperty, new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(group)))],
                },
                out _);
        }
    }

    private static string? ShareGroup(MqttPublishPacket message) =>
        message.UserProperties?.Find(static property => property.Name == GroupProperty)?.ReadValueAsString();

    private Task DisconnectAsync(MqttConnection connection, MqttDisconnectReasonCode reason) =>
        _server.DisconnectClientAsync(connection.ClientId, new MqttServerClientDisconnectOptions { ReasonCode = reason });

    /// <summary>Hands connections to MQTTnet that this program has accepted.</summary>
    private sealed class Adapter : IMqttServerAdapter
    {
        public Func<IMqttChannelAdapter, Task>? ClientHandler { get; set; }

        public Task StartAsync(MqttServerOptions options, IMqttNetLogger logger) => Task.CompletedTask;

        public Task StopAsync() => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
