using Gateway.Commands;
using Xunit;

namespace Gateway.Tests.Commands;

/// <summary>A misspelt command or option is told with the nearest name, and nothing runs: its folder may be another.</summary>
public sealed class MisspeltArgumentTests
{
    [Theory]
    [InlineData("chek --config none", "chek is not a command. Did you mean \"check\"?")]
    [InlineData("Check", "Check is not a command. Did you mean \"check\"?")]
    [InlineData("docter", "docter is not a command. Did you mean \"doctor\"?")]
    [InlineData("apikey create --name robot", "apikey is not a command. Did you mean \"api-key\"?")]
    [InlineData("--cofig none", "--cofig is not an option. Did you mean \"--config\"?")]
    [InlineData("check --cofig none", "--cofig is not an option of check. Did you mean \"--config\"?")]
    [InlineData("check --cofig=none", "--cofig is not an option of check. Did you mean \"--config\"?")]
    [InlineData("check -config none", "-config is not an option of check. Did you mean \"--config\"?")]
    [InlineData("check --Urls http://localhost:1 --fromat json", "--fromat is not an option of check. Did you mean \"--format\"?")]
    [InlineData("doctor --organisation o-a", "--organisation is not an option of doctor. Did you mean \"--organization\"?")]
    [InlineData("explain --tokn hunter2", "--tokn is not an option of explain. Did you mean \"--token\"?")]
    [InlineData("explain --Token hunter2", "--Token is not an option of explain. Did you mean \"--token\"?")]
    [InlineData("diff a b --request log", "--request is not an option of diff. Did you mean \"--requests\"?")]
    public async Task A_misspelt_argument_names_the_nearest(string arguments, string message)
    {
        var result = await CommandResult.RunAsync(arguments.Split(' '));

        Assert.Equal(new(ExitCode.Failed, "", $"error: {message}{Environment.NewLine}"), result);
    }

    [Theory]
    [InlineData("none")]
    [InlineData("check --Config none")]
    [InlineData("check --config none --AllowedHost a")]
    [InlineData("check --config none --Shutdown:Timeout --cofig")]
    [InlineData("--config none --verbose true")]
    public async Task Other_arguments_are_configuration_keys(string arguments)
    {
        var result = await CommandResult.RunAsync(arguments.Split(' '));

        Assert.DoesNotContain("is not a", result.Error + result.Output, StringComparison.Ordinal);
    }
}
