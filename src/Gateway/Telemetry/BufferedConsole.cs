using System.Globalization;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Telemetry;

/// <summary>
/// The framework's console log, with its formatters and their settings, but written in batches: the framework wakes a thread and makes a system call for each
/// line, which costs more than the request that the line is about. A line is written within <see cref="OutputBuffer.GatherFor"/>. If the output is not read, a
/// request waits <see cref="s_longestWait"/> at most: entries without room are dropped, counted, and reported when there is room again.
/// </summary>
[ProviderAlias("Console")]
internal sealed class BufferedConsole : ILoggerProvider, ISupportExternalScope
{
    /// <summary>The category of the access log.</summary>
    public const string AccessCategory = "Gateway.Access";

    private const int LongestKept = 4096;
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(1);

    private readonly IOptionsMonitor<ConsoleLoggerOptions> _options;
    private readonly GatewayMetrics _metrics;
    private readonly Dictionary<string, ConsoleFormatter> _formatters;
    private readonly OutputBuffer _output;
    private readonly Lazy<OutputBuffer> _error;
    private IExternalScopeProvider? _scopes;

    [ThreadStatic]
    private static StringWriter? s_line;

    public BufferedConsole(IEnumerable<ConsoleFormatter> formatters, IOptionsMonitor<ConsoleLoggerOptions> options, GatewayMetrics metrics)
        : this(formatters, options, metrics, Console.OpenStandardOutput())
    {
    }

    internal BufferedConsole(IEnumerable<ConsoleFormatter> formatters, IOptionsMonitor<ConsoleLoggerOptions> options, GatewayMetrics metrics, Stream output)
    {
        _options = options;
        _metrics = metrics;
        _formatters = formatters.ToDictionary(formatter => formatter.Name, StringComparer.OrdinalIgnoreCase);
        _output = new OutputBuffer(output, s_longestWait, ReportLost, _metrics.EntriesLost).Start();
        _error = new(() => new OutputBuffer(Console.OpenStandardError(), s_longestWait, ReportLost, _metrics.EntriesLost).Start());
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        _output.Dispose();
        if (_error.IsValueCreated) _error.Value.Dispose();
    }

    private bool Write<TState>(in LogEntry<TState> entry)
    {
        var settings = _options.CurrentValue;
        var formatter = _formatters.GetValueOrDefault(settings.FormatterName ?? ConsoleFormatterNames.Simple) ?? _formatters[ConsoleFormatterNames.Simple];
        var line = s_line ??= new StringWriter();
        line.GetStringBuilder().Clear();
        // Drop a buffer that a long line has grown, so that it does not stay with the thread.
        if (line.GetStringBuilder().Capacity > LongestKept) line = s_line = new StringWriter();
        formatter.Write(entry, _scopes, line);
        var isAudit = entry.Category == ModuleRoute.AuditCategory;
        var isAccessLine = entry.Category == AccessCategory;
        if ((entry.LogLevel >= settings.LogToStandardErrorThreshold ? _error.Value : _output).Write(line.GetStringBuilder(), isAudit, isAccessLine))
            return true;
        if (isAccessLine) _metrics.AccessLineDropped();
        else _metrics.LogEntryDropped(isAudit);
        return false;
    }

    private bool ReportLost(long audit, long others) => Write(new LogEntry<string>(
        LogLevel.Warning,
        typeof(BufferedConsole).FullName!,
        new EventId(EventIds.LogEntriesLost, nameof(EventIds.LogEntriesLost)),
        string.Create(
            CultureInfo.InvariantCulture, $"The output takes log entries again. {audit + others} were lost while it took none, {audit} of them of the audit"),
        null,
        static (message, _) => message));

    private sealed class Logger(BufferedConsole console, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => console._scopes?.Push(state);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (exception is not null && WireFailure.KindOf(category, exception) is { } kind)
                console.Write(
                    new LogEntry<string>(logLevel, category, eventId, $"{formatter(state, exception)} ({kind})", null, static (message, _) => message));
            else
                console.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception is null ? null : new LoggedException(exception), formatter));
        }
    }
}
