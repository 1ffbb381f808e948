using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Testing;

/// <summary>Everything that was logged, exceptions included.</summary>
public sealed class LogLines : ILoggerProvider
{
    private readonly ConcurrentQueue<(LogLevel Level, string Text)> _lines = new();

    public string Text => string.Join('\n', _lines.Select(line => line.Text));

    public int Count(LogLevel level, string part) => _lines.Count(line => line.Level == level && line.Text.Contains(part, StringComparison.Ordinal));

    /// <summary>Waits for a line: what is told of a call can come after whoever waited for it was answered.</summary>
    public async Task WaitForAsync(LogLevel level, string part)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (Count(level, part) == 0)
        {
            if (patience.IsCancellationRequested) throw new TimeoutException($"nothing was logged of \"{part}\":\n{Text}");
            await Task.Yield();
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose() { }

    private sealed class Logger(string category, ConcurrentQueue<(LogLevel, string)> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull
        {
            IssuedSecrets.Check("a scope", state.ToString());
            return null;
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var text = $"{logLevel} {category}: {formatter(state, exception)} {exception}";
            IssuedSecrets.Check("the log", text);
            lines.Enqueue((logLevel, text));
        }
    }
}
