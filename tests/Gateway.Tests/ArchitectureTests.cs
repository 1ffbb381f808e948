using Testing;
using Xunit;

namespace Gateway.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_gateway_knows_nothing_of_the_sandbox()
    {
        Assert.DoesNotContain(References(typeof(GatewayApplication)), name => name is "Sandbox" or "World" or "Gateway.Tests");
        Assert.Contains("Gateway", References(typeof(World)));
    }

    private static IEnumerable<string?> References(Type type) => type.Assembly.GetReferencedAssemblies().Select(reference => reference.Name);
}
