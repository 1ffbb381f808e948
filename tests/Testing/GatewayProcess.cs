using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Testing;

/// <summary>
/// A gateway in a process of its own, as operators run it: the one that <c>TEST_GATEWAY</c> names, or the one that was built with the tests.
/// </summary>
public sealed partial class GatewayProcess : IAsyncDisposable
{
    // nohup makes a process ignore SIGHUP, and its children too. Tests send it to gateways.
    private static readonly bool s_ignoresHangUp = OperatingSystem.IsLinux() && File.ReadLines("/proc/self/status").Any(static line =>
        line.StartsWith("SigIgn:", StringComparison.Ordinal) && (Convert.ToUInt64(line["SigIgn:".Length..].Trim(), 16) & 1) == 1);

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GatewayFolder _folder;
    private Process _process = null!;
    private string? _url;
    private string? _managementUrl;

    private GatewayProcess(GatewayFolder folder) => _folder = folder;

    public string Url => _url!;

    public string ManagementUrl => _managementUrl!;

    public string Output => string.Join('\n', _lines);

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>The gateway's program.</summary>
    public static string Program =>
        Environment.GetEnvironmentVariable("TEST_GATEWAY") is { Length: > 0 } path ? path : Path.Combine(AppContext.BaseDirectory, "Gateway.dll");

    /// <param name="folder">The configuration.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="maxFiles">How many files the process may open; null: as many as this one.</param>
    public static async Task<GatewayProcess> StartAsync(
        GatewayFolder folder, IEnumerable<KeyValuePair<string, string>> environment, int? maxFiles = null)
    {
        var gateway = new GatewayProcess(folder);
        string[] limited = maxFiles is null ? [] : ["sh", "-c", $"ulimit -n {maxFiles}; exec \"$@\"", "sh"];
        string[] signalled = s_ignoresHangUp ? ["env", "--default-signal=HUP"] : [];
        string[] command = [.. limited, .. signalled, "dotnet", Program, "--config", folder.Path];
        gateway._process = ChildProcess.Start(command[0], command[1..], environment, gateway.Read);
        var ended = gateway._process.WaitForExitAsync();
        if (await Task.WhenAny(gateway._listening.Task, ended) == ended)
            throw new InvalidOperationException($"The gateway ended with {gateway._process.ExitCode}:\n{gateway.Output}");
        return gateway;
    }

    /// <summary>Runs the program until it exits by itself. Returns its exit code and output.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        IEnumerable<string> arguments, IEnumerable<KeyValuePair<string, string>>? environment = null)
    {
        var lines = new ConcurrentQueue<string>();
        using var process = ChildProcess.Start("dotnet", [Program, .. arguments], environment, line =>
        {
            IssuedSecrets.Check("a process", line);
            lines.Enqueue(line);
        });
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Join('\n', lines));
    }

    public void Signal(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    private void Read(string line)
    {
        IssuedSecrets.Check("a process", line);
        _lines.Enqueue(line);
        if (ManagementAddress().Match(line) is { Success: true } management) _managementUrl = management.Groups[1].Value;
        else if (PublicAddress().Match(line) is { Success: true } edge) _url = edge.Groups[1].Value;
        if (line.Contains("Application started", StringComparison.Ordinal)) _listening.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        var hasEnded = _process.HasExited;
        if (!hasEnded) _process.Kill();
        // Until the rest of its output was read, too.
        await _process.WaitForExitAsync();
        var end = hasEnded ? $"It ended with {_process.ExitCode}." : "It ran to the end of the test.";
        _process.Dispose();
        _folder.Dispose();
        FailureOutput.Add([.. _lines, end]);
    }

    [GeneratedRegex("""Management listening on: (http://[^ "]+)""")]
    private static partial Regex ManagementAddress();

    [GeneratedRegex("""Now listening on: (https?://[^ "]+)""")]
    private static partial Regex PublicAddress();
}
