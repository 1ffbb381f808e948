namespace Gateway.Configuration;

/// <summary>Reads a file of the configuration.</summary>
internal static class FileContent
{
    /// <summary>The largest file that is read, in bytes. A larger file was probably named by mistake.</summary>
    public const int MaxLength = 32 * 1024 * 1024;

    /// <summary>Returns the whole file, or null and the problem that prevented reading it.</summary>
    public static byte[]? Read(string path, out string problem)
    {
        problem = "";
        try
        {
            if (Directory.Exists(path))
            {
                problem = "is a folder, not a file.";
                return null;
            }

            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var content = new MemoryStream();
            var chunk = new byte[16 * 1024];

            // The length is checked while reading, because a file may grow and a device has no length.
            for (var read = stream.Read(chunk); read > 0; read = stream.Read(chunk))
            {
                content.Write(chunk, 0, read);
                if (content.Length <= MaxLength) continue;
                problem = "is larger than 32 MB.";
                return null;
            }

            return content.ToArray();
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

        return null;
    }
}
