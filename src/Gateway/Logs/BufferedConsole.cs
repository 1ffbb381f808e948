using System.Text;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Logs;

/// <summary>
/// The framework's console log, with its formatters and their settings, but written in batches: the framework wakes a thread and makes a system call for each
/// line, which costs more than the request that the line is about. A line is written within <see cref="LogOutput.GatherFor"/>. The audit has a log of its own.
/// </summary>
[ProviderAlias("Console")]
internal sealed class BufferedConsole(
    IEnumerable<ConsoleFormatter> formatters, IOptionsMonitor<ConsoleLoggerOptions> options, LogOutputs outputs, GatewayMetrics metrics)
    : ILoggerProvider, ISupportExternalScope
{
    private const int LongestKept = 4096;

    private readonly Dictionary<string, ConsoleFormatter> _formatters = formatters.ToDictionary(
        formatter => formatter.Name, StringComparer.OrdinalIgnoreCase);
    private readonly Lazy<(LogOutput Output, LogQueue<LogText> Queue)> _error = new(() =>
    {
        var output = new LogOutput(StandardOutput.OpenError().Write);
        return (output, output.Add<LogText>(metrics.LogEntriesDropped));
    });
    private IExternalScopeProvider? _scopes;

    [ThreadStatic]
    private static StringWriter? s_line;

    public ILogger CreateLogger(string categoryName) => categoryName == ModuleRoute.AuditCategory ? NullLogger.Instance : new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        if (_error.IsValueCreated) _error.Value.Output.Dispose();
    }

    private void Write<TState>(in LogEntry<TState> entry)
    {
        var line = s_line ??= new StringWriter();
        line.GetStringBuilder().Clear();
        // Drop a buffer that a long line has grown, so that it does not stay with the thread.
        if (line.GetStringBuilder().Capacity > LongestKept) line = s_line = new StringWriter();
        var isError = false;
        try
        {
            var settings = options.CurrentValue;
            var formatter = _formatters.GetValueOrDefault(settings.FormatterName ?? ConsoleFormatterNames.Simple) ?? _formatters[ConsoleFormatterNames.Simple];
            isError = entry.LogLevel >= settings.LogToStandardErrorThreshold;
            formatter.Write(entry, _scopes, line);
        }
        catch (Exception e)
        {
            // An exception here would end whatever logs, the reload of the configuration included.
            line.GetStringBuilder().Clear();
            line.WriteLine($"{entry.LogLevel}: {entry.Category}[{entry.EventId.Id}] {MessageOf(entry)} (not formatted: {e.GetType().Name})");
        }

        (isError ? _error.Value.Queue : outputs.Console).TryAdd(new LogText(Encoding.UTF8.GetBytes(line.ToString())));
    }

    private static string MessageOf<TState>(in LogEntry<TState> entry)
    {
        try
        {
            return entry.Formatter(entry.State, entry.Exception);
        }
        catch (Exception)
        {
            // One of the message's values has no text.
            return entry.EventId.Name ?? "";
        }
    }

    private sealed class Logger(BufferedConsole console, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => console._scopes?.Push(state);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (SensitiveLogFilter.IsOfClient(category, eventId)) return;
            if (exception is not null && WireFailure.KindOf(category, exception) is { } kind)
                console.Write(
                    new LogEntry<string>(logLevel, category, eventId, $"{formatter(state, exception)} ({kind})", null, static (message, _) => message));
            else
                console.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception is null ? null : new LoggedException(exception), formatter));
        }
    }
}
