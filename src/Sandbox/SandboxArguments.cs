using System.Globalization;
using System.Net;

namespace Sandbox;

/// <summary>The command line.</summary>
/// <param name="Port">The port of the gateway's public edge; 0: one that the system picks.</param>
/// <param name="ManagementPort">The port of its management; 0: one that the system picks.</param>
internal sealed record SandboxArguments(int Port, int ManagementPort)
{
    public const string Usage =
        "usage: dotnet run --project src/Sandbox [-- --port N]   (N: the gateway's port, 0 to 65535; 0 picks a free one; default 8080)";

    /// <summary>What helps when a port cannot be listened on.</summary>
    public const string Remedy = "--port N moves the gateway to N and its management to a free port.";

    /// <summary>The arguments, or null when they are not understood.</summary>
    public static SandboxArguments? Read(string[] args) => args switch
    {
        [] => new(8080, 9090),
        // One option has to be enough where both of the usual ports are taken.
        ["--port", var text] => ParsePort(text) is { } port ? new(port, 0) : null,
        [var option] when option.StartsWith("--port=", StringComparison.Ordinal) => Read(["--port", option["--port=".Length..]]),
        _ => null,
    };

    private static int? ParsePort(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= IPEndPoint.MaxPort ? port : null;
}
