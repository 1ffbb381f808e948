using System.Text;
using Microsoft.Extensions.Logging;

namespace Testing;

/// <summary>The latest lines of a gateway's log, with exceptions, up to a bound in characters.</summary>
public sealed class LogLines : ILoggerProvider
{
    private const int MostCharacters = 8 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<(LogLevel Level, string Text)> _lines = new();
    private int _characters;
    private TaskCompletionSource _added = NewSignal();

    public string Text
    {
        get { lock (_lock) return string.Join('\n', _lines.Select(line => line.Text)); }
    }

    /// <summary>What was logged at level Warning and above.</summary>
    public IReadOnlyList<string> Problems
    {
        get { lock (_lock) return [.. _lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Text)]; }
    }

    public int Count(LogLevel level, string part)
    {
        lock (_lock) return _lines.Count(line => line.Level == level && line.Text.Contains(part, StringComparison.Ordinal));
    }

    /// <summary>Waits for a line: a call can be logged after its caller got the response.</summary>
    public async Task WaitForAsync(LogLevel level, string part)
    {
        using var limit = new CancellationTokenSource(Eventually.Limit);
        while (true)
        {
            // Take the signal before the search, so that a line that is added during the search ends the wait.
            Task added;
            lock (_lock) added = _added.Task;
            if (Count(level, part) > 0) return;
            try
            {
                await added.WaitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"No line with \"{part}\" was logged within {Eventually.Limit}:\n{Text}");
            }
        }
    }

    /// <summary>Adds the lines that a log writes to standard output.</summary>
    public void AddLines(ReadOnlySpan<byte> lines)
    {
        var text = Encoding.UTF8.GetString(lines);
        IssuedSecrets.Check("standard output", text);
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries)) Add(LogLevel.Information, line);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, this);

    public void Dispose() { }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Add(LogLevel level, string text)
    {
        TaskCompletionSource added;
        lock (_lock)
        {
            _lines.Enqueue((level, text));
            _characters += text.Length;
            while (_characters > MostCharacters) _characters -= _lines.Dequeue().Text.Length;
            added = _added;
            _added = NewSignal();
        }

        added.SetResult();
    }

    private sealed class Logger(string category, LogLines log) : ILogger
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
            log.Add(logLevel, text);
        }
    }
}
