using System.Collections.Concurrent;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The documented lines that begin with <c>dotnet run --project</c>, which are typed in the repository's folder.</summary>
public sealed class DotnetRunTests
{
    [Theory]
    [InlineData("src/Gateway", "check --config appsettings", "appsettings.json (")]
    [InlineData("src/Gateway", "check --config docs", "The folder is \"{root}/docs\"")]
    [InlineData("src/Sandbox", "--port 0 --config docs", "The folder is \"{root}/docs\"")]
    public async Task A_path_on_the_command_line_is_relative_to_the_readers_folder(string project, string arguments, string expected)
    {
        // bin/Release/net10.0: as the tests were built.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var lines = new ConcurrentQueue<string>();

        using var process = ChildProcess.Start(
            "env", ["-C", Repository.Root, "dotnet", "run", "--no-build", "--project", project, "-c", configuration, "--", .. arguments.Split(' ')], null,
            lines.Enqueue);
        await process.WaitForExitAsync();

        var output = string.Join('\n', lines);
        Assert.Contains(expected.Replace("{root}", Repository.Root.TrimEnd('/'), StringComparison.Ordinal), output, StringComparison.Ordinal);
    }
}
