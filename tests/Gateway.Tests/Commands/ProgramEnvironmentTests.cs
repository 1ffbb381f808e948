using Gateway.Commands;
using Xunit;

namespace Gateway.Tests.Commands;

public sealed class ProgramEnvironmentTests
{
    [Theory]
    [InlineData(null, null, "Production")]
    [InlineData("Staging", "Development", "Staging")]
    [InlineData(null, "Staging", "Staging")]
    [InlineData("", null, "Production")]
    [InlineData("", "Staging", "Staging")]
    [InlineData(" \t", "", "Production")]
    [InlineData("Production\r", null, "Production")]
    [InlineData("Staging\r\n", null, "Staging")]
    [InlineData(" Staging ", null, "Staging")]
    [InlineData("\r", " Staging\r", "Staging")]
    public void The_environments_name_is_the_first_that_is_set_without_blanks_around_it(string? aspNetCore, string? dotnet, string expected)
    {
        var variables = new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = aspNetCore, ["DOTNET_ENVIRONMENT"] = dotnet };

        Assert.Equal(expected, ProgramEnvironment.Of(variables).Name);
    }
}
