using Gateway.Configuration.Loading;

namespace Gateway.Commands;

/// <summary>The program's exit codes.</summary>
internal static class ExitCode
{
    public const int Good = 0;

    /// <summary>The command ran, but its checks failed.</summary>
    public const int Failed = 1;

    /// <summary>The command's input cannot be read.</summary>
    public const int CannotRead = 2;

    /// <summary>A change of configuration lets in more, or may.</summary>
    public const int Loosened = 3;

    /// <summary>Standard output or standard error cannot be written.</summary>
    public const int CannotWrite = 4;

    /// <summary>Returns the exit code that follows from loading the configuration alone.</summary>
    public static int Of(LoadResult read) => read.CannotRead ? CannotRead : read.Snapshot is null ? Failed : Good;
}
