using Testing;
using Xunit;

namespace Gateway.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_gateway_knows_nothing_of_the_sandbox()
    {
        Assert.DoesNotContain(References(typeof(GatewayApplication)), name => name is "Sandbox" or "Testing" or "Gateway.Tests");
        Assert.Contains("Gateway", References(typeof(World)));
    }

    [Fact]
    public void Its_namespaces_depend_on_each_other_in_one_direction() => Assert.Empty(Namespaces.CyclesOf(typeof(GatewayApplication).Assembly, "Gateway"));

    [Fact]
    public void A_cycle_between_namespaces_is_found_with_the_types_that_close_it()
    {
        var cycle = Assert.Single(Namespaces.CyclesOf(typeof(ArchitectureTests).Assembly, "Gateway.Tests.Planted"));

        Assert.Contains("Gateway.Tests.Planted.Upper.Caller -> Gateway.Tests.Planted.Lower.Callee", cycle, StringComparison.Ordinal);
        Assert.Contains("Gateway.Tests.Planted.Lower.Callee -> Gateway.Tests.Planted.Root", cycle, StringComparison.Ordinal);
    }

    private static IEnumerable<string?> References(Type type) => type.Assembly.GetReferencedAssemblies().Select(reference => reference.Name);
}
