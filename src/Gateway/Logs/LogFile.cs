using IotCredentials.Failures;

namespace Gateway.Logs;

/// <summary>A file that lines are appended to. It is opened at the first write, and again after <see cref="Reopen"/> or a failure.</summary>
/// <param name="path">The file. Its folder must exist.</param>
internal sealed class LogFile(string path) : IDisposable
{
    // A device or a pipe that the operator has named is written to, such as /dev/stderr.
    private readonly bool _isSpecial = SpecialFile.Is(path);
    private FileStream? _stream;
    private volatile bool _isRotated;

    /// <summary>Writes the next lines to a new file of this name, because the present one was renamed. Can be called on any thread.</summary>
    public void Reopen() => _isRotated = true;

    /// <exception cref="IOException">The lines were not written, not even in part.</exception>
    /// <exception cref="UnauthorizedAccessException">The file must not be written.</exception>
    /// <exception cref="InvalidDataException">It is no file any more, but a named pipe, for example.</exception>
    public void Write(ReadOnlySpan<byte> lines)
    {
        if (_isRotated)
        {
            _isRotated = false;
            Dispose();
        }

        _stream ??= Open();
        // Not the position after the last write: the file can have been truncated.
        var end = _stream.CanSeek ? _stream.Seek(0, SeekOrigin.End) : 0;
        try
        {
            _stream.Write(lines);
        }
        catch
        {
            // A full disk can take a part of a line.
            if (_stream.CanSeek && _stream.Length > end) _stream.SetLength(end);
            Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
    }

    private FileStream Open()
    {
        // The open of a pipe would wait for a reader, and the end of the process with it.
        if (!_isSpecial && SpecialFile.Is(path)) throw new InvalidDataException();
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
        };
        // The lines name callers.
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        return new FileStream(path, options);
    }
}
