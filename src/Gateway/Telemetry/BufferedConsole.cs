using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Telemetry;

/// <summary>
/// The framework's console log, by its formatters and their settings, but written many lines at a time: the framework wakes a thread and makes a
/// system call for each, which costs more than the request that the line tells of. A line is out within <see cref="OutputBuffer.GatherFor"/>; who
/// finds the buffer full waits, so that none is dropped while the process lives.
/// </summary>
[ProviderAlias("Console")]
internal sealed class BufferedConsole(IEnumerable<ConsoleFormatter> formatters, IOptionsMonitor<ConsoleLoggerOptions> options) : ILoggerProvider, ISupportExternalScope
{
    private const int LongestKept = 4096;

    private readonly Dictionary<string, ConsoleFormatter> _formatters = formatters.ToDictionary(formatter => formatter.Name, StringComparer.OrdinalIgnoreCase);
    private readonly OutputBuffer _output = new(Console.OpenStandardOutput());
    private readonly Lazy<OutputBuffer> _error = new(static () => new(Console.OpenStandardError()));
    private IExternalScopeProvider? _scopes;

    [ThreadStatic]
    private static StringWriter? t_line;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        _output.Dispose();
        if (_error.IsValueCreated) _error.Value.Dispose();
    }

    private void Write<TState>(in LogEntry<TState> entry)
    {
        var settings = options.CurrentValue;
        var formatter = _formatters.GetValueOrDefault(settings.FormatterName ?? ConsoleFormatterNames.Simple) ?? _formatters[ConsoleFormatterNames.Simple];
        var line = t_line ??= new StringWriter();
        line.GetStringBuilder().Clear();
        // One long line must not stay with every thread that once wrote one.
        if (line.GetStringBuilder().Capacity > LongestKept) line = t_line = new StringWriter();
        formatter.Write(entry, _scopes, line);
        (entry.LogLevel >= settings.LogToStandardErrorThreshold ? _error.Value : _output).Write(line.GetStringBuilder());
    }

    private sealed class Logger(BufferedConsole console, string category) : ILogger
    {
        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => console._scopes?.Push(state);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            console.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter));
    }
}

/// <summary>Gathers text and writes it behind those who wrote it; who finds it full waits.</summary>
internal sealed class OutputBuffer : IDisposable
{
    /// <summary>How long text is gathered.</summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50);

    private const int MostBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    private readonly Stream _stream;
    private readonly object _lock = new();
    private readonly Thread _thread;
    private readonly Encoder _encoder = Encoding.UTF8.GetEncoder();
    private ArrayBufferWriter<byte> _gathered = new();
    private ArrayBufferWriter<byte> _written = new();
    private bool _isEnding;

    public OutputBuffer(Stream stream)
    {
        _stream = stream;
        _thread = new Thread(WriteOut) { IsBackground = true, Name = "log output" };
        _thread.Start();
    }

    public void Write(StringBuilder text)
    {
        lock (_lock)
        {
            while (_gathered.WrittenCount > MostBytes && !_isEnding) Monitor.Wait(_lock);
            if (_gathered.WrittenCount == 0) Monitor.PulseAll(_lock);
            foreach (var chunk in text.GetChunks()) _encoder.Convert(chunk.Span, _gathered, flush: false, out _, out _);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.PulseAll(_lock);
        }

        // Longer only if nobody takes what is written.
        _thread.Join(s_patience);
    }

    private void WriteOut()
    {
        while (true)
        {
            lock (_lock)
            {
                while (_gathered.WrittenCount == 0 && !_isEnding) Monitor.Wait(_lock);
                if (!_isEnding) Monitor.Wait(_lock, GatherFor);
                if (_gathered.WrittenCount == 0 && _isEnding) return;
                (_gathered, _written) = (_written, _gathered);
                Monitor.PulseAll(_lock);
            }

            try
            {
                _stream.Write(_written.WrittenSpan);
            }
            catch (Exception)
            {
                // It is closed, or nobody reads it any more, and there is no other place to say so.
            }

            _written.ResetWrittenCount();
        }
    }
}
