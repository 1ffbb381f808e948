using IotCredentials.Failures;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Telemetry;

/// <summary>A library's logger that logs only the kinds of an exception: its message can repeat what was sent to a server, and the server's response.</summary>
internal sealed class ExceptionKindLogger<T>(ILogger<T> inner) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (exception is null) inner.Log(logLevel, eventId, state, null, formatter);
        else inner.Log(logLevel, eventId, state, null, (values, _) => $"{formatter(values, null)} ({FailureText.Kinds(exception)})");
    }
}
