using System.Net.Sockets;
using System.Runtime.InteropServices;
using Gateway.Reloading;
using Gateway.Telemetry;
using IotCredentials.Failures;

namespace Gateway.Commands;

/// <summary>Runs the gateway until it is stopped. This is the default when no command is given.</summary>
internal static partial class RunCommand
{
    private static readonly TimeSpan s_afterStart = TimeSpan.FromSeconds(1);

    public static async Task<int> RunAsync(IReadOnlyList<string> keys, ProgramEnvironment environment, TextWriter error)
    {
        // LogOutputs reopens the files of logs on SIGHUP. Without files, and before it is there, the signal would end the process.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, static signal => signal.Cancel = true);
        // Most of a start's time goes into loading and compiling code that runs once. The gateway is built on a second processor while the rules are
        // checked on the first, and it starts only if they find no error.
        Task<WebApplication>? building = null;
        var read = environment.Load(keys, snapshot => building = Task.Run(() => GatewayApplication.Build(snapshot, environment.Name)));
        foreach (var finding in read.Findings) Say(error, finding.ToString());
        if (read.Snapshot is null) return ExitCode.Failed;

        var gateway = await building!;
        Log.Read(
            gateway.Logger, ProductVersion.Text, read.Snapshot.Folder, string.Join(", ", read.Layers),
            gateway.Services.GetRequiredService<ConfigurationReloader>().Hash);
        try
        {
            await gateway.StartAsync();
            _ = ReleaseMemoryAsync();
        }
        catch (Exception e)
        {
            var isStopped = e.GetBaseException() is OperationCanceledException && gateway.Lifetime.ApplicationStopping.IsCancellationRequested;
            if (!isStopped)
            {
                // A start can fail because a port is in use or a certificate cannot be opened. Print the reason on one line, without a stack trace.
                var reason = $"{e.GetBaseException().Message}{(e.GetBaseException() is SocketException ? $" ({e.Message})" : "")}";
                Say(error, $"error: the gateway cannot start: {SecretText.HideInSentence(reason)}");
            }

            await gateway.DisposeAsync();
            return isStopped ? ExitCode.Good : ExitCode.Failed;
        }

        try
        {
            await gateway.WaitForShutdownAsync();
            await gateway.DisposeAsync();
            return ExitCode.Good;
        }
        catch (Exception e)
        {
            Say(error, $"error: the gateway did not stop cleanly: {UnexpectedFailure.KindOf(e)}. This is a bug in it: report this line.");
            return ExitCode.Failed;
        }
    }

    // A disk that is full under standard error does not keep the edge from serving.
    private static void Say(TextWriter error, string line)
    {
        try
        {
            error.WriteLine(line);
        }
        catch (OutputException)
        {
            // There is nowhere left to say it.
        }
    }

    // Reading and checking the files and the start leave megabytes behind, which an idle process would keep. The first requests do not wait for it.
    private static async Task ReleaseMemoryAsync()
    {
        await Task.Delay(s_afterStart);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.ConfigurationRead, LogLevel.Information, "Version {Version}. The configuration was read from {Folder}; later layers override "
            + "earlier ones: {Layers}. Its hash is {Hash}",
            EventName = nameof(EventIds.ConfigurationRead))]
        public static partial void Read(ILogger logger, string version, string folder, string layers, string hash);
    }
}
