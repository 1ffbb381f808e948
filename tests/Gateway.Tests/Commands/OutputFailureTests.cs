using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Tests.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands;

/// <summary>Output that cannot be written: on a full disk (ENOSPC), and to a pipe whose reader has gone (EPIPE).</summary>
public sealed class OutputFailureTests : IDisposable
{
    // /dev/full is a disk without room. Opened by descriptor 4, the pipe can be opened by 5, and has no reader once 4 is closed.
    private const string FullDisk = "exec dotnet \"$@\" {0}> /dev/full < /dev/null";

    private const string ClosedPipe =
        """d=$(mktemp -d); mkfifo $d/p; exec 4<>$d/p 5>$d/p 4<&-; rm -r $d; exec dotnet "$@" {0}>&5 5>&- < /dev/null""";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData(1, FullDisk, "check")]
    [InlineData(1, ClosedPipe, "check")]
    [InlineData(1, FullDisk, "check", "--format", "json")]
    [InlineData(1, FullDisk, "explain", "--organization", "o-acme")]
    [InlineData(1, ClosedPipe, "explain", "--organization", "o-acme", "--format", "json")]
    [InlineData(1, FullDisk, "diff", "FOLDER", "FOLDER", "--format", "json")]
    [InlineData(1, ClosedPipe, "diff", "FOLDER", "FOLDER", "--format", "json")]
    [InlineData(1, FullDisk, "doctor", "--timeout", "1")]
    [InlineData(1, ClosedPipe, "api-key", "create", "--name", "robot")]
    [InlineData(1, FullDisk, "--help")]
    [InlineData(1, ClosedPipe, "--version")]
    [InlineData(2, FullDisk, "check", "Nonsense=1", "Urls=nonsense")]
    [InlineData(2, ClosedPipe, "check", "Nonsense=1", "Urls=nonsense")]
    [InlineData(2, FullDisk, "explain", "--path", "nonsense")]
    [InlineData(2, ClosedPipe, "diff", "FOLDER")]
    [InlineData(2, FullDisk, "doctor", "Urls=nonsense")]
    [InlineData(2, ClosedPipe, "api-key", "hash")]
    public async Task Output_that_cannot_be_written_is_said_and_is_no_bug_of_the_gateway(int descriptor, string script, params string[] arguments)
    {
        var lines = new ConcurrentQueue<string>();
        using var process = ChildProcess.Start("bash", [.. Script(script, descriptor), .. WithFolder(arguments)], onLine: lines.Enqueue);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);

        var output = string.Join('\n', lines);
        Assert.Equal((4, output), (process.ExitCode, output));
        Assert.DoesNotContain("bug", output, StringComparison.OrdinalIgnoreCase);
        if (descriptor == 1)
        {
            var cause = script == FullDisk ? "No space left on device" : "Broken pipe";
            Assert.Contains($"error: standard output cannot be written: {cause}", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(FullDisk)]
    [InlineData(ClosedPipe)]
    public async Task The_gateway_serves_although_its_standard_error_cannot_be_written(string script)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _configuration.Set("ConnectionStrings:Redis", null);
        // The variable has no effect, which is a warning.
        using var process = ChildProcess.Start(
            "bash", [.. Script(script, 2), .. WithFolder(["Urls=http://127.0.0.1:0", "Management:Url=http://127.0.0.1:0"])],
            new Dictionary<string, string> { ["ASPNETCORE_URLS"] = "http://127.0.0.1:1" },
            line =>
            {
                if (line.Contains("Application started", StringComparison.Ordinal)) started.TrySetResult();
            });
        await Task.WhenAny(started.Task, process.WaitForExitAsync(TestContext.Current.CancellationToken));
        Assert.False(process.HasExited);

        using var kill = System.Diagnostics.Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
    }

    private static IEnumerable<string> Script(string script, int descriptor) =>
        ["-c", string.Format(CultureInfo.InvariantCulture, script, descriptor), "bash", GatewayProcess.Program];

    private IEnumerable<string> WithFolder(string[] arguments) =>
        arguments[0] is "diff" or "api-key" or "--help" or "--version"
            ? arguments.Select(argument => argument == "FOLDER" ? _configuration.Folder : argument)
            : [.. arguments, "--config", _configuration.Folder];
}
