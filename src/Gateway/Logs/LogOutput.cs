using System.Buffers;

namespace Gateway.Logs;

/// <summary>
/// Writes the lines of one or several logs to one destination, in batches and in the background. Each log has a queue of its own, whose room no other log takes.
/// No writer waits: a line without room is dropped and counted. So is a batch whose write fails; the next batch is tried again.
/// </summary>
internal sealed class LogOutput : IDisposable
{
    /// <summary>How long lines are gathered at most before they are written.</summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50);

    // A batch is written once it has this many bytes. A larger one would leave the processor's cache before it is written.
    private const int EnoughBytes = 128 * 1024;

    private const int MostBytes = 4 * 1024 * 1024;

    // A larger buffer is kept only while a batch fills a part of it: a new one for each batch costs more than the lines.
    private const int MostBytesKept = 256 * 1024;
    private const int LeastPartUsed = 8;

    private static readonly TimeSpan s_disposeTimeout = TimeSpan.FromSeconds(2);

    // A disk on the verge of being full takes some batches and others not.
    private static readonly TimeSpan s_reportEvery = TimeSpan.FromMinutes(1);

    private readonly object _lock = new();
    private readonly List<Queue> _queues = [];
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
        get { lock (_lock) return _hasEnded; }
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

    /// <summary>Adds a log.</summary>
    /// <param name="countDropped">Called with a number of lines that are lost.</param>
    public Queue Add(Action<long> countDropped)
    {
        var queue = new Queue(this, countDropped);
        lock (_lock) _queues.Add(queue);
        return queue;
    }

    /// <summary>Takes the number of lines of all logs that were lost since the last call, for a report.</summary>
    public long TakeLost()
    {
        lock (_lock) return _queues.Sum(static queue => queue.TakeLost());
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.PulseAll(_lock);
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
            List<Queue> queues;
            lock (_lock)
            {
                while (_gatheredBytes == 0 && !_isEnding) Monitor.Wait(_lock);
                if (_gatheredBytes < EnoughBytes && !_isEnding) Monitor.Wait(_lock, GatherFor);
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

    // Wakes the writing thread for the first line, and when there are enough.
    private void Count(int bytes)
    {
        var before = _gatheredBytes;
        _gatheredBytes += bytes;
        if (before == 0 || (before < EnoughBytes && _gatheredBytes >= EnoughBytes)) Monitor.PulseAll(_lock);
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

    /// <summary>The lines of one log that wait to be written.</summary>
    public sealed class Queue
    {
        private readonly LogOutput _output;
        private readonly Action<long> _countDropped;
        private ArrayBufferWriter<byte> _gathered = new();
        private ArrayBufferWriter<byte> _taken = new();
        private int _gatheredLines;
        private int _takenLines;
        private long _lostLines;

        internal Queue(LogOutput output, Action<long> countDropped) => (_output, _countDropped) = (output, countDropped);

        /// <summary>Whether lines were lost since <see cref="TakeLost"/>.</summary>
        public bool HasLost => Volatile.Read(ref _lostLines) > 0;

        /// <summary>Takes the number of lines that were lost since the last call, for a report.</summary>
        public long TakeLost() => Interlocked.Exchange(ref _lostLines, 0);

        /// <summary>Queues a line, which ends in a line feed.</summary>
        /// <returns>False if there was no room and the line was dropped.</returns>
        public bool TryWrite(ReadOnlySpan<byte> line)
        {
            lock (_output._lock)
            {
                // The writing thread empties the queue. It writes only one line at a time: the report of lost lines.
                if (!_output._hasEnded && (_gathered.WrittenCount + line.Length <= MostBytes || Thread.CurrentThread == _output._thread))
                {
                    _gathered.Write(line);
                    _gatheredLines++;
                    _output.Count(line.Length);
                    return true;
                }
            }

            Drop(1);
            return false;
        }

        internal void Take()
        {
            (_gathered, _taken) = (_taken, _gathered);
            (_takenLines, _gatheredLines) = (_gatheredLines, 0);
        }

        internal Exception? WriteTaken()
        {
            try
            {
                if (_taken.WrittenCount > 0) _output._write(_taken.WrittenSpan);
                return null;
            }
            catch (Exception e)
            {
                Drop(_takenLines);
                return e;
            }
            finally
            {
                if (_taken.Capacity > MostBytesKept && _taken.WrittenCount < _taken.Capacity / LeastPartUsed) _taken = new();
                else _taken.ResetWrittenCount();
            }
        }

        private void Drop(long lines)
        {
            Interlocked.Add(ref _lostLines, lines);
            _countDropped(lines);
        }
    }
}
