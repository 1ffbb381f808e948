using System.Runtime.InteropServices;
using Gateway.Configuration;
using Gateway.Telemetry;
using IotCredentials.Failures;

namespace Gateway.Logs;

/// <summary>
/// The destinations of the three logs: standard output for the ordinary log, and standard output or a file for the access log and the audit log. Files are opened
/// again on SIGHUP, so that logrotate can rename them.
/// </summary>
internal sealed partial class LogOutputs : IDisposable
{
    private readonly LogOutput _standardOutput;
    private readonly Dictionary<string, (LogFile File, LogOutput Output)> _files = new(StringComparer.Ordinal);
    private readonly string _folder;
    private readonly IServiceProvider _services;
    private readonly PosixSignalRegistration? _hangUp;
    private readonly bool _isAuditHere;

    public LogOutputs(
        StandardOutput standardOutput, GatewayOptions options, IHostEnvironment environment, GatewayMetrics metrics, IServiceProvider services)
    {
        (_folder, _services) = (environment.ContentRootPath, services);
        _standardOutput = new LogOutput(standardOutput.Write)
        {
            Failed = failure => Log.OutputFailed(Logger, CauseOf(failure)),
            LinesWereLost = ReportLost,
        };
        Console = _standardOutput.Add<LogText>(metrics.LogEntriesDropped);
        _isAuditHere = options.AuditLog is { Enabled: true, Path: null };
        Audit = Open<AuditEntry>(options.AuditLog, metrics.AuditEntriesDropped);
        Access = Open<AccessEntry>(options.AccessLog, metrics.AccessLinesDropped);
        if (_files.Count > 0) _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reopen);
    }

    /// <summary>The ordinary log.</summary>
    public LogQueue<LogText> Console { get; }

    /// <summary>The audit log; null if it is off.</summary>
    public LogQueue<AuditEntry>? Audit { get; }

    /// <summary>The access log; null if it is off.</summary>
    public LogQueue<AccessEntry>? Access { get; }

    // The logger comes from the services when it is needed: log providers write to these outputs.
    private ILogger Logger => _services.GetRequiredService<ILogger<LogOutputs>>();

    public void Dispose()
    {
        _hangUp?.Dispose();
        foreach (var (file, output) in _files.Values)
        {
            output.Dispose();
            if (output.HasEnded) file.Dispose();
        }

        _standardOutput.Dispose();
    }

    private LogQueue<T>? Open<T>(LogOptions options, Action<long> countDropped) where T : struct, ILogEntry
    {
        if (!options.Enabled) return null;
        if (options.Path is null) return _standardOutput.Add<T>(countDropped);
        var path = Path.GetFullPath(options.Path, _folder);
        if (!_files.TryGetValue(path, out var open))
        {
            var file = new LogFile(path);
            LogOutput? output = null;
            output = new LogOutput(file.Write)
            {
                Failed = failure => Log.FileFailed(Logger, path, CauseOf(failure)),
                LinesWereLost = () => Log.FileRestored(Logger, path, output!.TakeLost()),
            };
            open = _files[path] = (file, output);
        }

        return open.Output.Add<T>(countDropped);
    }

    private void Reopen(PosixSignalContext signal)
    {
        // Without this, the signal ends the process.
        signal.Cancel = true;
        foreach (var (file, _) in _files.Values) file.Reopen();
    }

    private void ReportLost()
    {
        var audit = _isAuditHere ? Audit!.TakeLost() : 0;
        Log.EntriesLost(Logger, audit + _standardOutput.TakeLost(), audit);
    }

    private static string CauseOf(Exception failure) => failure switch
    {
        UnauthorizedAccessException => "access is denied",
        InvalidDataException => $"it {SpecialFile.Problem.TrimEnd('.')}",
        DirectoryNotFoundException => "its folder does not exist",
        IOException { HResult: 28 } => "the disk is full",
        IOException { HResult: 30 } => "the file system is read-only",
        IOException { HResult: 32 } => "nothing reads it",
        IOException => $"the system's error {failure.HResult}",
        _ => failure.GetType().Name,
    };

    private static partial class Log
    {
        [LoggerMessage(EventIds.LogEntriesLost, LogLevel.Warning,
            "The output takes log entries again. {Lost} were lost while it took none, {Audit} of them of the audit",
            EventName = nameof(EventIds.LogEntriesLost))]
        public static partial void EntriesLost(ILogger logger, long lost, long audit);

        // This line is lost as well, unless errors go to standard error. The management console shows it.
        [LoggerMessage(EventIds.LogOutputFailed, LogLevel.Error,
            "Log lines cannot be written to standard output: {Cause}. They are lost until they can; requests are served",
            EventName = nameof(EventIds.LogOutputFailed))]
        public static partial void OutputFailed(ILogger logger, string cause);

        [LoggerMessage(EventIds.LogFileFailed, LogLevel.Error,
            "Log lines cannot be written to {Path}: {Cause}. They are lost until they can; requests are served",
            EventName = nameof(EventIds.LogFileFailed))]
        public static partial void FileFailed(ILogger logger, string path, string cause);

        [LoggerMessage(EventIds.LogFileRestored, LogLevel.Warning, "Log lines are written to {Path} again. {Lost} were lost",
            EventName = nameof(EventIds.LogFileRestored))]
        public static partial void FileRestored(ILogger logger, string path, long lost);
    }
}
