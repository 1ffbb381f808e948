using System.Globalization;
using System.Net;

namespace Sandbox;

/// <summary>The arguments of the command line.</summary>
/// <param name="Port">The port of the gateway's public edge; 0 lets the system pick one.</param>
/// <param name="ManagementPort">The port of its management listener; 0 lets the system pick one.</param>
/// <param name="Folder">The folder of the gateway's configuration; null: the repository's own folder.</param>
/// <param name="IsAzure">Whether the gateway runs with a managed identity of an emulated Azure.</param>
internal sealed record SandboxArguments(int Port, int ManagementPort, string? Folder, bool IsAzure)
{
    public const string Usage =
        "usage: dotnet run --project src/Sandbox [-- --port N --config DIR --azure]   (N: the gateway's port, 0 to 65535; 0 picks a free one; default 8080. "
        + "DIR: the gateway's configuration; default appsettings/ of the repository. --azure: the gateway's AWS identity is a managed identity of Azure)";

    /// <summary>The advice when a port cannot be listened on.</summary>
    public const string Remedy = "--port N moves the gateway to N and its management to a free port.";

    /// <summary>Parses the arguments; null when they are not valid.</summary>
    public static SandboxArguments? Read(IReadOnlyList<string> args)
    {
        int? port = null;
        string? folder = null;
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
            else if (name == "--config" && folder is null && value.Length > 0) folder = value;
            else return null;
        }

        // With --port given, the management port is free to choose, so that one option is enough if both default ports are taken.
        return new(port ?? 8080, port is null ? 9090 : 0, folder, isAzure);
    }

    private static int? ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? port : null;
}
