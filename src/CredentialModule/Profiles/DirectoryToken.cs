using System.Text;
using IotCredentials.Failures;
using Microsoft.Extensions.FileProviders;

namespace IotCredentials.Profiles;

/// <summary>Reads the directory's bearer token. The rule and the client share it, so that both accept the same files.</summary>
internal static class DirectoryToken
{
    private const int LongestFile = 16 * 1024;

    /// <param name="path">The file, relative to the configuration folder or absolute.</param>
    /// <param name="files">The configuration folder.</param>
    /// <param name="problem">The problem, as the end of a sentence about the file; it holds nothing of the content.</param>
    /// <returns>The token; null if there is a problem.</returns>
    public static string? Read(string path, IFileProvider files, out string? problem)
    {
        problem = null;
        try
        {
            var file = Path.IsPathRooted(path) ? null : files.GetFileInfo(path);
            if (SpecialFile.Is(file is null ? path : file.PhysicalPath ?? ""))
            {
                problem = SpecialFile.Problem.TrimEnd('.');
                return null;
            }

            using var stream = file is null ? File.OpenRead(path) : file.CreateReadStream();
            // One byte more than a token may have: the file can grow.
            var content = new byte[LongestFile + 1];
            var length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            var token = Encoding.UTF8.GetString(content, 0, length).Trim();
            if (length <= LongestFile && token.Length > 0 && token.All(static character => character is > ' ' and <= '~')) return token;
            problem = $"holds no token: one line of printable ASCII without spaces and without a byte-order mark, in {LongestFile / 1024} KiB at most";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = $"cannot be read ({e.GetType().Name})";
        }

        return null;
    }
}
