using Microsoft.Win32.SafeHandles;

namespace Gateway.Logs;

/// <summary>The process's standard output or standard error.</summary>
/// <param name="write">Writes bytes to it.</param>
internal sealed class StandardOutput(Action<ReadOnlySpan<byte>> write)
{
    // The most that a pipe takes whole or not at all, even if its reader made it non-blocking: PIPE_BUF of POSIX on Linux.
    private const int MostAtOnce = 4096;

    // EAGAIN on Linux.
    private const int NotNow = 11;

    private static readonly TimeSpan s_tryAgainAfter = TimeSpan.FromMilliseconds(10);

    private bool _hasFailed;

    /// <summary>Opens standard output.</summary>
    public static StandardOutput Open() => Open(1, Console.OpenStandardOutput);

    /// <summary>Opens standard error.</summary>
    public static StandardOutput OpenError() => Open(2, Console.OpenStandardError);

    private static StandardOutput Open(int descriptor, Func<Stream> console)
    {
        if (OperatingSystem.IsLinux())
        {
            var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            // The console's stream drops what is written to a closed pipe, without an error. A stream of its own would write a file at a position of its own.
            if (!stream.CanSeek) return new(bytes => WriteToPipe(stream, bytes));
        }

        return new(console().Write);
    }

    /// <summary>Writes bytes to it.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            // A full disk can have taken a part of a line.
            if (_hasFailed) write("\n"u8);
            write(bytes);
            _hasFailed = false;
        }
        catch
        {
            _hasFailed = true;
            throw;
        }
    }

    private static void WriteToPipe(FileStream pipe, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var next = bytes[..Math.Min(MostAtOnce, bytes.Length)];
            try
            {
                pipe.Write(next);
                bytes = bytes[next.Length..];
            }
            catch (IOException e) when (e.HResult == NotNow)
            {
                Thread.Sleep(s_tryAgainAfter);
            }
        }
    }
}
