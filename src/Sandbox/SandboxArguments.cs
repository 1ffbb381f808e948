using System.Globalization;
using System.Net;

namespace Sandbox;

/// <summary>The arguments of the command line.</summary>
/// <param name="Port">The port of the gateway's public edge; 0 lets the system pick one.</param>
/// <param name="ManagementPort">The port of its management listener; 0 lets the system pick one.</param>
/// <param name="Folder">The folder of the gateway's configuration; null: the repository's own folder.</param>
/// <param name="IsAzure">Whether the gateway runs with a managed identity of an emulated Azure.</param>
/// <param name="SessionDuration">The lifetime of the credentials that the emulated STS grants; null: as requested.</param>
internal sealed record SandboxArguments(int Port, int ManagementPort, string? Folder, bool IsAzure, TimeSpan? SessionDuration = null)
{
    public const string Usage =
        "usage: dotnet run --project src/Sandbox [-- --port N --config DIR --azure --session-duration SECONDS]   "
        + "(N: the gateway's port, 0 to 65535; 0 picks a free one; default 8080. "
        + "DIR: the gateway's configuration; default appsettings/ of the repository. --azure: the gateway's AWS identity is a managed identity of Azure. "
        + "SECONDS: the lifetime of credentials, 60 to 43200, shorter than any AWS would grant; default: as the gateway requests)";

    /// <summary>The advice when a port cannot be listened on.</summary>
    public const string Remedy = "--port N moves the gateway to N and its management to a free port.";

    /// <summary>Parses the arguments; null when they are not valid.</summary>
    public static SandboxArguments? Read(IReadOnlyList<string> args)
    {
        int? port = null;
        string? folder = null;
        TimeSpan? sessionDuration = null;
        var isAzure = false;
        for (var index = 0; index < args.Count; index++)
        {
            if (args[index] == "--azure" && !isAzure)
            {
                isAzure = true;
                continue;
            }

            // Accepts both --port=N and --port N.
            var (name, value) = args[index].Split('=', 2) is [var before, var after] ? (before, after) : (args[index], ++index < args.Count ? args[index] : "");
            if (name == "--port" && port is null && ParsePort(value) is { } parsed) port = parsed;
            else if (name == "--session-duration" && sessionDuration is null && ParseDuration(value) is { } duration) sessionDuration = duration;
            else if (name == "--config" && folder is null && value.Length > 0) folder = value;
            else return null;
        }

        // With --port given, the management port is free to choose, so that one option is enough if both default ports are taken.
        return new(port ?? 8080, port is null ? 9090 : 0, folder, isAzure, sessionDuration);
    }

    // Below a minute of life the gateway hands out no credentials.
    private static TimeSpan? ParseDuration(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 60 and <= 43200
            ? TimeSpan.FromSeconds(seconds)
            : null;

    private static int? ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? port : null;
}
