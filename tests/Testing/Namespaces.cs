using System.Reflection;
using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.Loader;

namespace Testing;

/// <summary>How the namespaces of an assembly depend on each other.</summary>
public static class Namespaces
{
    /// <summary>The cycles between the namespaces of an assembly, from its root down, with the types that close them; none, if all point one way.</summary>
    public static IReadOnlyList<string> CyclesOf(Assembly assembly, string root)
    {
        var architecture = new ArchLoader().LoadAssembly(assembly).Build();
        return [.. SliceRuleDefinition.Slices().Matching($"{root}(**)").Should().BeFreeOfCycles()
            .Evaluate(architecture).Where(static result => !result.Passed).Select(static result => result.Description)];
    }
}
