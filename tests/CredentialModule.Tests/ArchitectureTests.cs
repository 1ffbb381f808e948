using Testing;
using Xunit;

namespace IotCredentials.Tests;

public sealed class ArchitectureTests
{
    [Fact]
    public void The_module_knows_nothing_of_the_gateway_or_the_sandbox()
    {
        var references = typeof(OrganizationId).Assembly.GetReferencedAssemblies().Select(reference => reference.Name).ToArray();

        Assert.DoesNotContain(references, name => name is "Gateway" or "Sandbox" or "Testing");
        Assert.Contains("Yarp.ReverseProxy", references);
    }

    [Fact]
    public void Its_namespaces_depend_on_each_other_in_one_direction() => Assert.Empty(Namespaces.CyclesOf(typeof(OrganizationId).Assembly, "IotCredentials"));
}
