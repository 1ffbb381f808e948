using System.Collections.Concurrent;
using System.Text.Json;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Logs;

/// <summary>Writes the module's audit events as lines of JSON: the time, the event's name and the event's values.</summary>
internal sealed class AuditLog(LogOutputs outputs, TimeProvider clock) : ILoggerProvider, ILogger
{
    private const string OriginalFormat = "{OriginalFormat}";

    private static readonly JsonEncodedText s_event = JsonEncodedText.Encode("event");

    // By the event's id: each event always has the same values, in the same order.
    private static readonly ConcurrentDictionary<int, JsonEncodedText[]> s_names = new();

    /// <summary>Lets every audit event pass, whatever levels are configured for other logs.</summary>
    public static LoggerFilterRule Filter { get; } = new(typeof(AuditLog).FullName, ModuleRoute.AuditCategory, LogLevel.Trace, null);

    public ILogger CreateLogger(string categoryName) => categoryName == ModuleRoute.AuditCategory ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => outputs.Audit is not null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (outputs.Audit is not { } log || state is not IReadOnlyList<KeyValuePair<string, object?>> values) return;
        var line = JsonLine.Begin(clock.GetUtcNow());
        line.Json.WriteString(s_event, eventId.Name);
        var names = s_names.GetOrAdd(eventId.Id, static (_, values) => [.. values.Select(static value => Encoded(value.Key))], values);
        for (var i = 0; i < values.Count; i++)
        {
            var (name, value) = values[i];
            if (name != OriginalFormat) Write(line.Json, names[i], value);
        }

        line.EndIn(log);
    }

    public void Dispose() { }

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
