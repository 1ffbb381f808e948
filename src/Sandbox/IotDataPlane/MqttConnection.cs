using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using MQTTnet.Channel;
using MQTTnet.Exceptions;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Sandbox.IotDataPlane;

/// <summary>
/// The connection of one client: its WebSocket, as MQTTnet reads and writes it, and the role session that opened it. It is also the end point that MQTTnet
/// passes to its events, which so know the connection.
/// </summary>
internal sealed class MqttConnection(WebSocket socket, DataPlaneSession session) : EndPoint, IMqttChannel
{
    // AWS's limit of a payload, and room for a topic and MQTT 5's properties.
    private const int MaxPacket = MqttBroker.MaxPayload + (16 * 1024);

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DataPlaneSession Session => session;

    public string ClientId { get; set; } = "";

    public bool IsMqtt5 { get; set; }

    /// <summary>Why the broker ends the connection; clients of MQTT 5 are told.</summary>
    public MqttDisconnectReasonCode DisconnectReason { get; set; } = MqttDisconnectReasonCode.UnspecifiedError;

    /// <summary>Completes when the broker has forgotten the connection.</summary>
    public Task Ended => _ended.Task;

    /// <summary>What the last SUBSCRIBE asked for, by MQTTnet's object of each filter.</summary>
    public IReadOnlyDictionary<MqttTopicFilter, (string Filter, MqttQualityOfServiceLevel Quality)> Requested { get; set; } =
        new Dictionary<MqttTopicFilter, (string, MqttQualityOfServiceLevel)>();

    EndPoint IMqttChannel.RemoteEndPoint => this;

    EndPoint? IMqttChannel.LocalEndPoint => null;

    X509Certificate2? IMqttChannel.ClientCertificate => null;

    bool IMqttChannel.IsSecureConnection => false;

    public void HasEnded() => _ended.TrySetResult();

    /// <summary>Ends the connection without a goodbye.</summary>
    public void Abort() => socket.Abort();

    public Task ConnectAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        // Does not wait for the client's own close frame, which a client that is gone never sends.
        if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    public async Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        // The buffer is as long as the packet says that it is.
        if (buffer.Length > MaxPacket) throw new MqttCommunicationException("The packet is too long.");
        // A WebSocket whose receive is cancelled is torn down, with what was last sent.
        return (await socket.ReceiveAsync(buffer.AsMemory(offset, count), CancellationToken.None).AsTask().WaitAsync(cancellationToken)).Count;
    }

    public async Task WriteAsync(ReadOnlySequence<byte> buffer, bool isEndOfPacket, CancellationToken cancellationToken)
    {
        var rest = buffer.Length;
        foreach (var segment in buffer)
        {
            rest -= segment.Length;
            await socket.SendAsync(segment, WebSocketMessageType.Binary, isEndOfPacket && rest == 0, cancellationToken);
        }
    }

    public void Dispose() => socket.Dispose();

    public override string ToString() => ClientId;
}
