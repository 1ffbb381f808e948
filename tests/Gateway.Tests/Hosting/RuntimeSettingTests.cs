using System.Text.Json;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>Settings of the runtime that a program starts with. It ignores names that it does not know.</summary>
public sealed class RuntimeSettingTests
{
    [Theory]
    [InlineData("System.Runtime.TieredCompilation.CallCountingDelayMs", "1")]
    [InlineData("System.Runtime.TieredCompilation.CallCountThreshold", "2048")]
    [InlineData("System.GC.Server", "true")]
    public void The_gateway_starts_with_the_setting(string name, string value)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Gateway.runtimeconfig.json")));

        Assert.Equal(value, file.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties").GetProperty(name).GetRawText());
    }
}
