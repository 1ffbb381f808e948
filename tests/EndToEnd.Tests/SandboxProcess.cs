using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The sandbox as a newcomer starts it, with a temporary folder of its own, so that what it leaves there can be seen.</summary>
internal sealed class SandboxProcess : IAsyncDisposable
{
    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _welcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DirectoryInfo _temporary = Directory.CreateTempSubdirectory("sandbox-test-");
    private readonly Process _process;

    private SandboxProcess(string[] arguments, IReadOnlyDictionary<string, string>? environment) =>
        // A shell ignores SIGINT for what it starts in the background, tests included, and a process keeps what it inherits.
        _process = ChildProcess.Start(
            "env",
            ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "Sandbox.dll"), .. arguments],
            [.. environment ?? new Dictionary<string, string>(), new("TMPDIR", _temporary.FullName)],
            Read);

    public IReadOnlyList<string> Lines => [.. _lines];

    public IReadOnlyList<string> Curls => [.. _lines.Where(IsCurl)];

    public IEnumerable<string> FoldersLeft => _temporary.EnumerateDirectories("sandbox-*").Select(folder => folder.Name);

    /// <summary>Starts one that is not expected to stay.</summary>
    public static SandboxProcess Run(params string[] arguments) => new(arguments, null);

    /// <summary>Starts one, until it has printed what to paste.</summary>
    public static async Task<SandboxProcess> StartAsync(string[] arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var sandbox = new SandboxProcess(arguments, environment);
        var ended = sandbox.ExitCodeAsync();
        if (await Task.WhenAny(sandbox._welcome.Task, ended) == ended)
            throw new InvalidOperationException($"The sandbox ended with {await ended}:\n{string.Join('\n', sandbox._lines)}");
        return sandbox;
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    public async Task EndsCleanlyAsync(string signal)
    {
        Assert.NotEmpty(FoldersLeft);
        var printed = Lines.Count;
        using var kill = Process.Start("kill", [$"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture)]);

        Assert.Equal(0, await ExitCodeAsync().WaitAsync(Eventually.Limit));
        Assert.Empty(FoldersLeft);
        Assert.DoesNotContain(Lines.Skip(printed), line => line.Length > 0);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _temporary.Delete(recursive: true);
    }

    private static bool IsCurl(string line) => line.StartsWith("curl ", StringComparison.Ordinal);

    // The command to paste is the last that the sandbox prints by itself.
    private void Read(string line)
    {
        _lines.Enqueue(line);
        if (line.Contains(" explain --path ", StringComparison.Ordinal)) _welcome.TrySetResult();
    }
}
