using Xunit;

namespace Sandbox.Tests;

public sealed class SandboxArgumentsTests
{
    [Theory]
    [InlineData("", 8080, 9090, null)]
    [InlineData("--port 81", 81, 0, null)]
    [InlineData("--port=81", 81, 0, null)]
    [InlineData("--config dir", 8080, 9090, "dir")]
    [InlineData("--config=a=b --port 81", 81, 0, "a=b")]
    public void G2_a_port_and_a_folder_can_be_named(string line, int port, int managementPort, string? folder) =>
        Assert.Equal(new SandboxArguments(port, managementPort, folder), SandboxArguments.Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Theory]
    [InlineData("--config")]
    [InlineData("--config=")]
    [InlineData("--port 1 --port 2")]
    [InlineData("--config a --config b")]
    [InlineData("--confg a")]
    [InlineData("appsettings")]
    public void A_slip_is_not_understood(string line) => Assert.Null(SandboxArguments.Read(line.Split(' ')));

    [Fact]
    public void G2_the_folder_is_the_one_in_the_source_tree_that_a_newcomer_edits()
    {
        var folder = SandboxGateway.DefaultFolder();

        Assert.True(File.Exists(Path.Combine(folder, "..", "IotCredentials.sln")), folder);
        Assert.True(File.Exists(Path.Combine(folder, "appsettings.json")), folder);
    }
}
