using Xunit;

namespace Sandbox.Tests;

public sealed class SandboxArgumentsTests
{
    [Theory]
    [InlineData("", 8080, 9090, null, false)]
    [InlineData("--port 81", 81, 0, null, false)]
    [InlineData("--port=81", 81, 0, null, false)]
    [InlineData("--config dir", 8080, 9090, "dir", false)]
    [InlineData("--config=a=b --port 81", 81, 0, "a=b", false)]
    [InlineData("--azure --port 81", 81, 0, null, true)]
    public void G2_a_port_a_folder_and_Azure_can_be_named(string line, int port, int managementPort, string? folder, bool isAzure) =>
        Assert.Equal(
            new SandboxArguments(port, managementPort, folder, isAzure), SandboxArguments.Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    [Fact]
    public void Sessions_can_be_short() => Assert.Equal(TimeSpan.FromSeconds(90), SandboxArguments.Read(["--session-duration", "90"])?.SessionDuration);

    [Theory]
    [InlineData("--session-duration 59")]
    [InlineData("--session-duration 43201")]
    [InlineData("--session-duration 90 --session-duration 90")]
    [InlineData("--config")]
    [InlineData("--config=")]
    [InlineData("--port 1 --port 2")]
    [InlineData("--config a --config b")]
    [InlineData("--confg a")]
    [InlineData("--azure --azure")]
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
