using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using MQTTnet;

namespace Sandbox.IotDataPlane;

/// <summary>
/// A device of an organization: the thing <c>ORGANIZATION-sensor</c>. Once a second it publishes its temperature to <c>ORGANIZATION/sensor/telemetry</c> and
/// reports it to its shadow. Its light is switched by <c>{"light":"on"}</c>, sent to <c>ORGANIZATION/sensor/commands</c> or desired in the shadow; the device
/// reports it and publishes it to <c>ORGANIZATION/sensor/events</c>.
/// </summary>
internal sealed class SimulatedDevice : IAsyncDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly string _topics;
    private readonly string _thing;
    private readonly MqttBroker _broker;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly DateTimeOffset _started;
    private string _light = "off";
    private Task _running = Task.CompletedTask;

    private SimulatedDevice(string organization, MqttBroker broker, TimeProvider time)
    {
        _topics = $"{organization}/sensor";
        _thing = $"{organization}-sensor";
        _broker = broker;
        _time = time;
        _started = time.GetUtcNow();
    }

    public static SimulatedDevice Start(string organization, MqttBroker broker, TimeProvider time)
    {
        var device = new SimulatedDevice(organization, broker, time);
        broker.Published += device.Receive;
        device._running = Task.Run(device.RunAsync);
        return device;
    }

    public async ValueTask DisposeAsync()
    {
        _broker.Published -= Receive;
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(s_interval, _time);
        try
        {
            var reported = "";
            do
            {
                var light = _light;
                // A day in ten minutes.
                var temperature = Math.Round(21 + (4 * Math.Sin((_time.GetUtcNow() - _started).TotalSeconds / 600 * 2 * Math.PI)), 2);
                var at = _time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
                await PublishAsync("telemetry", new JsonObject { ["at"] = at, ["temperature"] = temperature });
                await ReportAsync(new JsonObject { ["temperature"] = temperature, ["light"] = light });
                if (light != reported) await PublishAsync("events", new JsonObject { ["at"] = at, ["light"] = light });
                reported = light;
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private void Receive(MqttApplicationMessage message)
    {
        if (message.Topic == $"{_topics}/commands") Switch(Read(message)?["light"]);
        else if (message.Topic == $"$aws/things/{_thing}/shadow/update/delta") Switch((Read(message)?["state"] as JsonObject)?["light"]);
    }

    private void Switch(JsonNode? light)
    {
        if (light?.GetValueKind() == JsonValueKind.String && light.GetValue<string>() is "on" or "off") _light = light!.GetValue<string>();
    }

    private Task PublishAsync(string topic, JsonObject message) => _broker.PublishAsync($"{_topics}/{topic}", JsonSerializer.SerializeToUtf8Bytes(message));

    private async Task ReportAsync(JsonObject reported) => await _broker.Shadows.HandleAsync(
        new ShadowTopic(_thing, null, "update"),
        JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["state"] = new JsonObject { ["reported"] = reported } }));

    private static JsonObject? Read(MqttApplicationMessage message)
    {
        try
        {
            return JsonNode.Parse(message.Payload.ToArray()) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
