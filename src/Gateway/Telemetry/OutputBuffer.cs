using System.Buffers;
using System.Text;

namespace Gateway.Telemetry;

/// <summary>
/// Buffers text and writes it in the background. The audit has a buffer of its own, which no other entry can fill. If its buffer is full, a writer waits for
/// <paramref name="longestWait"/> at most. While the output is stalled no writer waits: entries without room are dropped and counted.
/// </summary>
/// <param name="stream">The output.</param>
/// <param name="longestWait">The longest that a writer waits for room. Default: without limit.</param>
/// <param name="reportLost">
/// Called with the numbers of lost entries, of the audit and of all others, as soon as the output takes text again. It may write to this buffer. If it returns
/// false, the numbers are kept for the next call.
/// </param>
/// <param name="countFailed">Called with the numbers of entries that a failed write lost: of the access log, of the audit and of all others.</param>
internal sealed class OutputBuffer(
    Stream stream, TimeSpan? longestWait = null, Func<long, long, bool>? reportLost = null, Action<long, long, long>? countFailed = null) : IDisposable
{
    /// <summary>How long text is buffered before it is written.</summary>
    public static readonly TimeSpan GatherFor = TimeSpan.FromMilliseconds(50);

    private const int MostBytes = 4 * 1024 * 1024;
    private static readonly TimeSpan s_disposeTimeout = TimeSpan.FromSeconds(2);

    private readonly object _lock = new();
    private readonly Encoder _encoder = Encoding.UTF8.GetEncoder();
    private readonly Room _audit = new();
    private readonly Room _others = new();
    private Thread? _thread;
    private bool _isStalled;
    private bool _isEnding;

    /// <summary>Starts the background writer.</summary>
    public OutputBuffer Start()
    {
        _thread = new Thread(WriteOut) { IsBackground = true, Name = "log output" };
        _thread.Start();
        return this;
    }

    /// <returns>False if there was no room and the text was dropped.</returns>
    public bool Write(StringBuilder text, bool isAudit = false, bool isAccessLine = false)
    {
        lock (_lock)
        {
            var room = isAudit ? _audit : _others;
            if (!HasRoom(room))
            {
                room.Lost++;
                return false;
            }

            if (IsEmpty) Monitor.PulseAll(_lock);
            foreach (var chunk in text.GetChunks()) _encoder.Convert(chunk.Span, room.Gathered, flush: false, out _, out _);
            room.Entries++;
            if (isAccessLine) room.AccessLines++;
            return true;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isEnding = true;
            Monitor.PulseAll(_lock);
        }

        // Writing takes longer than this only if nothing reads the output.
        _thread?.Join(s_disposeTimeout);
    }

    private bool IsEmpty => _audit.Gathered.WrittenCount == 0 && _others.Gathered.WrittenCount == 0;

    private bool HasRoom(Room room)
    {
        // The writing thread empties the buffers, and would wait for itself. It writes only one line at a time: the report of lost entries.
        if (room.Gathered.WrittenCount <= MostBytes || Thread.CurrentThread == _thread) return true;
        var begun = Environment.TickCount64;
        while (!_isStalled && !_isEnding)
        {
            var left = longestWait is { } longest ? longest - TimeSpan.FromMilliseconds(Environment.TickCount64 - begun) : Timeout.InfiniteTimeSpan;
            // The first writer that has waited long enough releases all the others.
            if (longestWait is not null && left <= TimeSpan.Zero) _isStalled = true;
            else Monitor.Wait(_lock, left);
            if (room.Gathered.WrittenCount <= MostBytes) return true;
        }

        Monitor.PulseAll(_lock);
        return false;
    }

    private void WriteOut()
    {
        while (true)
        {
            lock (_lock)
            {
                while (IsEmpty && !_isEnding) Monitor.Wait(_lock);
                if (!_isEnding) Monitor.Wait(_lock, GatherFor);
                if (IsEmpty && _isEnding) return;
                _audit.Take();
                _others.Take();
                Monitor.PulseAll(_lock);
            }

            var isWritten = TryWrite(_audit) & TryWrite(_others);
            var (audit, others) = (0L, 0L);
            lock (_lock)
            {
                _isStalled = false;
                if (isWritten) (audit, others, _audit.Lost, _others.Lost) = (_audit.Lost, _others.Lost, 0, 0);
            }

            if (audit + others == 0 || reportLost is null || reportLost(audit, others)) continue;
            lock (_lock) (_audit.Lost, _others.Lost) = (_audit.Lost + audit, _others.Lost + others);
        }
    }

    private bool TryWrite(Room room)
    {
        try
        {
            if (room.Taken.WrittenCount > 0) stream.Write(room.Taken.WrittenSpan);
            return true;
        }
        catch (Exception)
        {
            // The output is closed or its disk is full, and there is no other place to report that. The loss is reported when the output takes text again.
            lock (_lock) room.Lost += room.EntriesTaken;
            if (room == _audit) countFailed?.Invoke(0, room.EntriesTaken, 0);
            else countFailed?.Invoke(room.AccessLinesTaken, 0, room.EntriesTaken - room.AccessLinesTaken);
            return false;
        }
        finally
        {
            room.Taken.ResetWrittenCount();
        }
    }

    /// <summary>Text that waits to be written, and the text that is being written.</summary>
    private sealed class Room
    {
        public ArrayBufferWriter<byte> Gathered { get; private set; } = new();

        public ArrayBufferWriter<byte> Taken { get; private set; } = new();

        public int Entries { get; set; }

        public int EntriesTaken { get; private set; }

        public int AccessLines { get; set; }

        public int AccessLinesTaken { get; private set; }

        public long Lost { get; set; }

        public void Take()
        {
            (Gathered, Taken) = (Taken, Gathered);
            (EntriesTaken, Entries) = (Entries, 0);
            (AccessLinesTaken, AccessLines) = (AccessLines, 0);
        }
    }
}
