using System.Collections.Concurrent;
using Gateway.Forwarding;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Recording;

/// <summary>
/// Keeps the last events of the gateway and the plugin, in the words of the log: reloads, dependencies that are lost and work again, circuit breakers. Failed
/// requests are not among them, because clients can make these many. The last of each kind are kept: refused tokens, of which anyone can send many, must not push
/// out a reload. It reads the audit events, which are as many as requests, only while the console records.
/// </summary>
internal sealed class EventRecorder(TrafficRecorder traffic, VendRecorder vends, TimeProvider time) : ILoggerProvider
{
    private const int MostEvents = 200;
    private const int MostOfAKind = 20;
    private const int MostText = 1000;

    private readonly ConcurrentDictionary<string, Ring<(long Number, RecordedEvent Event)>> _events = new(StringComparer.Ordinal);
    private long _last;

    /// <summary>Whatever levels are configured for the log, the console has these events.</summary>
    public static IReadOnlyList<LoggerFilterRule> Filters { get; } =
    [
        new(typeof(EventRecorder).FullName, null, LogLevel.None, null),
        new(typeof(EventRecorder).FullName, "Gateway", LogLevel.Information, null),
        new(typeof(EventRecorder).FullName, "IotCredentials", LogLevel.Information, null),
    ];

    /// <summary>The events, the newest first.</summary>
    public IReadOnlyList<RecordedEvent> Newest()
    {
        var newest = _events.Values.SelectMany(static kind => kind.Newest()).OrderByDescending(static kept => kept.Number).Take(MostEvents);
        return [.. newest.Select(static kept => kept.Event)];
    }

    public ILogger CreateLogger(string categoryName) => categoryName == ModuleRoute.AuditCategory ? new AuditLogger(this)
        : categoryName == ForwardingErrors.Category ? NullLogger.Instance
        : categoryName.StartsWith("Gateway.", StringComparison.Ordinal) || categoryName.StartsWith("IotCredentials.", StringComparison.Ordinal)
            ? new EventLogger(this)
        : NullLogger.Instance;

    public void Dispose() { }

    private sealed class EventLogger(EventRecorder recorder) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name is not { } name) return;
            recorder.Keep(name, logLevel, formatter(state, null));
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();

    private sealed class AuditLogger(EventRecorder recorder) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => recorder.TakesAudit;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (recorder.TakesAudit && state is IReadOnlyList<KeyValuePair<string, object?>> values)
                recorder.Audited(eventId.Name, values);
        }
    }

    private bool TakesAudit => traffic.IsOn;

    private void Audited(string? name, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        string? organization = null, subject = null, profile = null, outcome = null;
        foreach (var (key, value) in values)
        {
            switch (key)
            {
                case "Organization":
                    organization = value?.ToString();
                    break;
                case "Subject":
                    subject = value?.ToString();
                    break;
                case "Profile":
                    profile = value?.ToString();
                    break;
                case "Outcome":
                    outcome = value?.ToString();
                    break;
                // Anyone can have an action refused.
                case "Status" when value is >= StatusCodes.Status400BadRequest:
                    return;
            }
        }

        if (organization is null) return;
        if (profile is not null) vends.Vended(Now, organization, subject, profile, outcome!);
        else Keep(name!, LogLevel.Information, $"{organization}: {outcome}, by {subject}");
    }

    private void Keep(string name, LogLevel level, string text) => _events.GetOrAdd(name, static _ => new(MostOfAKind))
        .Add((Interlocked.Increment(ref _last), new(Now, name, level.ToString(), KeptText.Of(text, MostText))));
}

/// <summary>An event of the log.</summary>
internal sealed record RecordedEvent(DateTimeOffset Time, string Event, string Level, string Text);
