namespace Gateway.Commands.Diff;

/// <summary>The lines of a file of any size, in bounded memory.</summary>
internal sealed class LogLines(Stream stream)
{
    private const int Longest = 64 * 1024;

    private readonly byte[] _buffer = new byte[16 * Longest];
    private int _start;
    private int _end;

    /// <summary>Reads the next line without its end. Returns false after the last one.</summary>
    /// <param name="line">The line; empty for one that is longer than any line of an access log.</param>
    /// <param name="isTooLong">Whether the line is such a one.</param>
    public bool TryRead(out ReadOnlySpan<byte> line, out bool isTooLong)
    {
        line = [];
        isTooLong = false;
        var searched = _start;
        while (true)
        {
            var length = _buffer.AsSpan(searched, _end - searched).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var end = searched + length;
                if (!isTooLong) line = _buffer.AsSpan(_start, end - _start);
                isTooLong |= line.Length > Longest;
                if (isTooLong) line = [];
                _start = end + 1;
                return true;
            }

            if (_end - _start > Longest)
            {
                isTooLong = true;
                _start = _end;
            }

            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }

            searched = _end;
            var read = stream.Read(_buffer, _end, _buffer.Length - _end);
            if (read == 0)
            {
                if (_end == 0) return isTooLong;
                line = isTooLong ? [] : _buffer.AsSpan(0, _end);
                _start = _end;
                return true;
            }

            _end += read;
        }
    }
}
