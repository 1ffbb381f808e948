using System.Net.Sockets;
using Gateway.Telemetry;
using SecretText = CredentialModule.Telemetry.SecretText;

namespace Gateway.Commands;

/// <summary>No command: the gateway, until it is told to stop.</summary>
internal static partial class RunCommand
{
    public static async Task<int> RunAsync(IReadOnlyList<string> keys, ProgramEnvironment environment)
    {
        var read = environment.Load(keys);
        foreach (var finding in read.Findings) Console.Error.WriteLine(finding);
        if (read.Snapshot is null) return ExitCode.Failed;

        var gateway = GatewayApplication.Build(read.Snapshot, environment.Name);
        Log.Read(gateway.Logger, read.Snapshot.Folder, string.Join(", ", read.Layers));
        try
        {
            await gateway.StartAsync();
        }
        catch (Exception e)
        {
            // A port that is taken, a certificate that does not open: the reason in a line, no stack trace.
            var reason = $"{e.GetBaseException().Message}{(e.GetBaseException() is SocketException ? $" ({e.Message})" : "")}";
            Console.Error.WriteLine($"error: the gateway cannot start: {SecretText.HideInSentence(reason)}");
            await gateway.DisposeAsync();
            return ExitCode.Failed;
        }

        try
        {
            await gateway.WaitForShutdownAsync();
            await gateway.DisposeAsync();
            return ExitCode.Good;
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"error: the gateway stopped, but not in good order: {UnexpectedFailure.KindOf(e)}. This is a fault of the gateway; report this line.");
            return ExitCode.Failed;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationRead, LogLevel.Information, "The configuration was read from {Folder}, later layers winning: {Layers}")]
        public static partial void Read(ILogger logger, string folder, string layers);
    }
}

/// <summary>What the program's exit codes say.</summary>
internal static class ExitCode
{
    public const int Good = 0;

    /// <summary>The command was carried out, and what it was to find good is not.</summary>
    public const int Failed = 1;

    /// <summary>What the command needs cannot be read.</summary>
    public const int CannotRead = 2;
}
