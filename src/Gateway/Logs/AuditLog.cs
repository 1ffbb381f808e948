using System.Text.Json;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Logs;

/// <summary>Writes the module's audit events as lines of JSON: the time, the event's name and the event's values.</summary>
internal sealed class AuditLog(LogOutputs outputs, TimeProvider clock) : ILoggerProvider, ILogger
{
    private const string OriginalFormat = "{OriginalFormat}";

    /// <summary>Lets every audit event pass, whatever levels are configured for other logs.</summary>
    public static LoggerFilterRule Filter { get; } = new(typeof(AuditLog).FullName, ModuleRoute.AuditCategory, LogLevel.Trace, null);

    public ILogger CreateLogger(string categoryName) => categoryName == ModuleRoute.AuditCategory ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => outputs.Audit is not null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (outputs.Audit is not { } log || state is not IReadOnlyList<KeyValuePair<string, object?>> values) return;
        var line = JsonLine.Begin(clock.GetUtcNow());
        line.Json.WriteString("event", eventId.Name);
        foreach (var (name, value) in values)
        {
            if (name != OriginalFormat) Write(line.Json, JsonNamingPolicy.CamelCase.ConvertName(name), value);
        }

        line.EndIn(log);
    }

    public void Dispose() { }

    private static void Write(Utf8JsonWriter json, string name, object? value)
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
                json.WriteString(name, UtcTime.Seconds(time));
                break;
            default:
                json.WriteString(name, value?.ToString());
                break;
        }
    }
}
