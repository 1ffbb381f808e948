using System.Runtime.InteropServices;

namespace IotCredentials.Failures;

/// <summary>
/// Finds out what a path leads to, before it is opened: the open of a named pipe waits until somebody writes to it, and .NET can tell neither pipes nor
/// devices from files.
/// </summary>
public static class SpecialFile
{
    /// <summary>The end of a sentence about such a file.</summary>
    public const string Problem = "is a named pipe, a socket or a device, not a file.";

    // From linux/stat.h and fcntl.h. They and the layout of the result are the same on every architecture, which those of stat are not.
    private const int CurrentFolder = -100;
    private const uint TypeOnly = 1;
    private const int ResultSize = 256;
    private const int ModeAt = 28;
    private const int TypeMask = 0xf000;
    private const int Folder = 0x4000;
    private const int Regular = 0x8000;

    /// <summary>
    /// Whether a path leads to a named pipe, a socket or a device, as opposed to a file or a folder. Symbolic links are followed. Outside Linux, and if the
    /// path leads nowhere, false.
    /// </summary>
    public static bool Is(string path)
    {
        if (!OperatingSystem.IsLinux() || path.Contains('\0', StringComparison.Ordinal)) return false;
        var result = new byte[ResultSize];
        try
        {
            return StatX(CurrentFolder, path, 0, TypeOnly, result) == 0
                && (BitConverter.ToUInt16(result, ModeAt) & TypeMask) is not (0 or Folder or Regular);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // An older or another C library.
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int StatX(int folder, [MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags, uint mask, [Out] byte[] result);
}
