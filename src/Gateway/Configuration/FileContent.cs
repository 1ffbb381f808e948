using System.Buffers;
using System.Security.Cryptography;
using IotCredentials.Failures;

namespace Gateway.Configuration;

/// <summary>Reads a file of the configuration.</summary>
internal static class FileContent
{
    /// <summary>The largest file that is read, in bytes. A larger file was probably named by mistake.</summary>
    public const int MaxLength = 32 * 1024 * 1024;

    /// <summary>Returns the whole file, or null and the problem that prevented reading it.</summary>
    public static byte[]? Read(string path, out string problem)
    {
        using var content = new MemoryStream();
        return TryRead(path, chunk => content.Write(chunk), out problem) ? content.ToArray() : null;
    }

    /// <summary>Returns the SHA-256 of the whole file, or null if it cannot be read. It is called twice a second, so it keeps nothing of the file.</summary>
    public static byte[]? Digest(string path)
    {
        // Most folders lack an optional file, and an exception costs more than all files together.
        if (!File.Exists(path)) return null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        return TryRead(path, hash.AppendData, out _) ? hash.GetHashAndReset() : null;
    }

    private static bool TryRead(string path, Action<ReadOnlySpan<byte>> take, out string problem)
    {
        problem = "";
        var chunk = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            if (Directory.Exists(path))
            {
                problem = "is a folder, not a file.";
                return false;
            }

            if (SpecialFile.Is(path))
            {
                problem = SpecialFile.Problem;
                return false;
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var length = 0L;

            // The length is checked while reading, because a file may grow and a device has no length.
            for (var read = stream.Read(chunk); read > 0; read = stream.Read(chunk))
            {
                take(chunk.AsSpan(0, read));
                length += read;
                if (length <= MaxLength) continue;
                problem = "is larger than 32 MB.";
                return false;
            }

            return true;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = "is not there.";
        }
        catch (UnauthorizedAccessException)
        {
            problem = "may not be read by this process's user.";
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or NotSupportedException)
        {
            problem = "cannot be read.";
        }
        finally
        {
            // A file may hold a secret.
            ArrayPool<byte>.Shared.Return(chunk, clearArray: true);
        }

        return false;
    }
}
