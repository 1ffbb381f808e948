using System.Buffers;

namespace Gateway.Logs;

/// <summary>The entries of one log that wait to be written.</summary>
internal abstract class LogQueue
{
    private readonly Action<long> _countDropped;
    private long _lostLines;

    private protected LogQueue(Action<long> countDropped) => _countDropped = countDropped;

    /// <summary>Whether lines were lost since <see cref="TakeLost"/>.</summary>
    public bool HasLost => Volatile.Read(ref _lostLines) > 0;

    /// <summary>Takes the number of lines that were lost since the last call, for a report.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lostLines, 0);

    /// <summary>Takes the entries that wait. The output's lock is held.</summary>
    public abstract void Take();

    /// <summary>Writes the entries that were taken. Only the background writer calls this.</summary>
    /// <returns>Why lines could not be written; null if all were.</returns>
    public abstract Exception? WriteTaken();

    private protected void Drop(long lines)
    {
        if (lines == 0) return;
        Interlocked.Add(ref _lostLines, lines);
        _countDropped(lines);
    }
}

/// <inheritdoc />
internal sealed class LogQueue<T> : LogQueue where T : struct, ILogEntry
{
    private const int MostBytes = 4 * 1024 * 1024;

    // Written once it has this many bytes. A larger batch would leave the processor's cache before it is written.
    private const int BatchBytes = 64 * 1024;

    // A larger array or buffer is not kept.
    private const int MostEntriesKept = 4096;
    private const int MostBytesKept = 4 * BatchBytes;

    private readonly LogOutput _output;
    private T[] _gathered = [];
    private T[] _taken = [];
    private int _gatheredEntries;
    private int _takenEntries;
    private int _gatheredBytes;
    private LogLine _line = new();
    private ArrayBufferWriter<byte> _batch = new();

    public LogQueue(LogOutput output, Action<long> countDropped) : base(countDropped) => _output = output;

    /// <summary>Queues an entry.</summary>
    /// <returns>False if there was no room and the entry was dropped.</returns>
    public bool TryAdd(in T entry)
    {
        var size = entry.Size;
        lock (_output.Lock)
        {
            // The background writer empties the queue. It adds only one entry at a time: the report of lost lines.
            if (!_output.IsOver && (_gatheredBytes + size <= MostBytes || _output.IsWriter))
            {
                if (_gatheredEntries == _gathered.Length) Array.Resize(ref _gathered, Math.Max(16, 2 * _gatheredEntries));
                _gathered[_gatheredEntries++] = entry;
                _gatheredBytes += size;
                _output.Count(size);
                return true;
            }
        }

        Drop(1);
        return false;
    }

    public override void Take()
    {
        (_gathered, _taken) = (_taken, _gathered);
        (_takenEntries, _gatheredEntries, _gatheredBytes) = (_gatheredEntries, 0, 0);
    }

    public override Exception? WriteTaken()
    {
        Exception? failure = null;
        var lines = 0;
        for (var i = 0; i < _takenEntries; i++)
        {
            if (TryMakeLine(in _taken[i])) lines++;
            else Drop(1);
            if (_batch.WrittenCount >= BatchBytes) WriteBatch();
        }

        if (lines > 0) WriteBatch();
        // The entries' texts may go.
        if (_taken.Length > MostEntriesKept) _taken = [];
        else Array.Clear(_taken, 0, _takenEntries);
        if (_line.Capacity > MostBytesKept) _line = new();
        if (_batch.Capacity > MostBytesKept) _batch = new();
        return failure;

        void WriteBatch()
        {
            try
            {
                _output.Write(_batch.WrittenSpan);
            }
            catch (Exception e)
            {
                Drop(lines);
                failure = e;
            }

            lines = 0;
            _batch.ResetWrittenCount();
        }
    }

    private bool TryMakeLine(in T entry)
    {
        _line.Clear();
        try
        {
            entry.Write(_line);
        }
        catch (Exception)
        {
            // One of the entry's values has no text. An exception on this thread would end the process.
            return false;
        }

        _batch.Write(_line.Written);
        return true;
    }
}
