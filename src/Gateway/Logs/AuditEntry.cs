using System.Collections.Concurrent;
using System.Text.Json;
using Gateway.Telemetry;

namespace Gateway.Logs;

/// <summary>An event of the audit: its time, its name and its values.</summary>
internal readonly record struct AuditEntry(DateTimeOffset Time, EventId Event, IReadOnlyList<KeyValuePair<string, object?>> Values) : ILogEntry
{
    private const string OriginalFormat = "{OriginalFormat}";

    // The entry itself and its values, without their texts.
    private const int FixedSize = 256;

    private static readonly JsonEncodedText s_event = JsonEncodedText.Encode("event");

    // By the event's id: each event always has the same values, in the same order.
    private static readonly ConcurrentDictionary<int, JsonEncodedText[]> s_names = new();

    public int Size
    {
        get
        {
            var size = FixedSize;
            for (var i = 0; i < Values.Count; i++)
            {
                if (Values[i].Value is string text) size += sizeof(char) * text.Length;
            }

            return size;
        }
    }

    public void Write(LogLine line)
    {
        var json = line.BeginJson(Time);
        json.WriteString(s_event, Event.Name);
        var names = s_names.GetOrAdd(Event.Id, static (_, values) => [.. values.Select(static value => Encoded(value.Key))], Values);
        for (var i = 0; i < Values.Count; i++)
        {
            var (name, value) = Values[i];
            if (name != OriginalFormat) Write(json, names[i], value);
        }

        line.EndJson();
    }

    private static JsonEncodedText Encoded(string name) => JsonEncodedText.Encode(JsonNamingPolicy.CamelCase.ConvertName(name));

    private static void Write(Utf8JsonWriter json, JsonEncodedText name, object? value)
    {
        switch (value)
        {
            case bool isTrue:
                json.WriteBoolean(name, isTrue);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case DateTimeOffset time:
                Span<byte> text = stackalloc byte[UtcTime.LengthOfSeconds];
                UtcTime.WriteSeconds(time, text);
                json.WriteString(name, text);
                break;
            default:
                json.WriteString(name, value?.ToString());
                break;
        }
    }
}
