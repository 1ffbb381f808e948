namespace Gateway.Logs;

/// <summary>
/// Makes the lines of one or several logs and writes them to one destination, in batches and in the background. Each log has a queue of its own, whose room no
/// other log takes. No caller waits: an entry without room is dropped and counted. So is a batch whose write fails; the next batch is tried again.
/// </summary>
internal sealed class LogOutput : IDisposable
{
    /// <summary>How long entries are gathered at most before they are written.</summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50);

    // Entries are written once they take this much memory.
    private const int EnoughBytes = 512 * 1024;

    private static readonly TimeSpan s_disposeTimeout = TimeSpan.FromSeconds(2);

    // A disk on the verge of being full takes some batches and others not.
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromMinutes(1);

    private readonly List<LogQueue> _queues = [];
    private readonly Action<ReadOnlySpan<byte>> _write;
    private readonly Thread _thread;
    private long _gatheredBytes;
    private bool _isEnding;
    private bool _hasEnded;

    /// <summary>Starts the background writer.</summary>
    /// <param name="write">Writes to the destination.</param>
    public LogOutput(Action<ReadOnlySpan<byte>> write)
    {
        _write = write;
        _thread = new Thread(WriteOut) { IsBackground = true, Name = "log output" };
        _thread.Start();
    }

    /// <summary>Whether the background writer has ended. It has not if the destination blocked it while this was disposed of.</summary>
    public bool HasEnded
    {
        get { lock (Lock) return _hasEnded; }
    }

    /// <summary>The clock. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Called once when writes begin to fail, at most once a minute. A failure that begins within a minute of the last call, and lasts, is reported when that
    /// minute is over. Default: nothing.
    /// </summary>
    public Action<Exception>? Failed { get; init; }

    /// <summary>
    /// Called when the destination takes lines and some were lost, at most once a minute. It may write to this output. Default: nothing.
    /// </summary>
    public Action? LinesWereLost { get; init; }

    // Guards the entries that wait, of all logs, and whether they will be written.
    internal object Lock { get; } = new();

    internal bool IsOver => _hasEnded;

    internal bool IsWriter => Thread.CurrentThread == _thread;

    /// <summary>Adds a log.</summary>
    /// <param name="countDropped">Called with a number of lines that are lost.</param>
    public LogQueue<T> Add<T>(Action<long> countDropped) where T : struct, ILogEntry
    {
        var queue = new LogQueue<T>(this, countDropped);
        lock (Lock) _queues.Add(queue);
        return queue;
    }

    /// <summary>Takes the number of lines of all logs that were lost since the last call, for a report.</summary>
    public long TakeLost()
    {
        lock (Lock) return _queues.Sum(static queue => queue.TakeLost());
    }

    public void Dispose()
    {
        lock (Lock)
        {
            _isEnding = true;
            Monitor.PulseAll(Lock);
        }

        // Writing takes longer than this only if nothing reads the output.
        _thread.Join(s_disposeTimeout);
    }

    private void WriteOut()
    {
        var isFailureTold = false;
        long? failureTold = null, lossTold = null;
        while (true)
        {
            List<LogQueue> queues;
            lock (Lock)
            {
                while (_gatheredBytes == 0 && !_isEnding) Monitor.Wait(Lock);
                if (_gatheredBytes < EnoughBytes && !_isEnding) Monitor.Wait(Lock, GatherFor);
                _hasEnded = _gatheredBytes == 0;
                if (_hasEnded) return;
                queues = [.. _queues];
                foreach (var queue in queues) queue.Take();
                _gatheredBytes = 0;
            }

            Exception? failure = null;
            foreach (var queue in queues) failure = queue.WriteTaken() ?? failure;
            if (failure is not null) isFailureTold = isFailureTold || Report(ref failureTold, () => Failed?.Invoke(failure));
            else
            {
                isFailureTold = false;
                if (queues.Exists(static queue => queue.HasLost)) Report(ref lossTold, () => LinesWereLost?.Invoke());
            }
        }
    }

    internal void Write(ReadOnlySpan<byte> lines) => _write(lines);

    // Wakes the background writer for the first entry, and when there are enough. The lock is held.
    internal void Count(int bytes)
    {
        var before = _gatheredBytes;
        _gatheredBytes += bytes;
        if (before == 0 || (before < EnoughBytes && _gatheredBytes >= EnoughBytes)) Monitor.PulseAll(Lock);
    }

    private bool Report(ref long? told, Action report)
    {
        if (told is { } last && Time.GetElapsedTime(last) < s_reportEvery) return false;
        told = Time.GetTimestamp();
        try
        {
            report();
        }
        catch (Exception)
        {
            // The process is ending, and its log with it; or a log provider fails, which must not end this thread.
        }

        return true;
    }
}
