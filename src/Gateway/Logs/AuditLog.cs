using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Logs;

/// <summary>Writes the module's audit events as lines of JSON: the time, the event's name and the event's values.</summary>
internal sealed class AuditLog(LogOutputs outputs, TimeProvider clock) : ILoggerProvider, ILogger
{
    /// <summary>Lets every audit event pass, whatever levels are configured for other logs.</summary>
    public static LoggerFilterRule Filter { get; } = new(typeof(AuditLog).FullName, ModuleRoute.AuditCategory, LogLevel.Trace, null);

    public ILogger CreateLogger(string categoryName) => categoryName == ModuleRoute.AuditCategory ? this : NullLogger.Instance;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => outputs.Audit is not null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (outputs.Audit is not { } log || state is not IReadOnlyList<KeyValuePair<string, object?>> values) return;
        log.TryAdd(new AuditEntry(clock.GetUtcNow(), eventId, values));
    }

    public void Dispose() { }
}
