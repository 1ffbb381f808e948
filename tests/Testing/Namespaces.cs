using System.Reflection;
using ArchUnitNET.Fluent.Slices;
using ArchUnitNET.Loader;

namespace Testing;

/// <summary>The dependencies between the namespaces of an assembly.</summary>
public static class Namespaces
{
    /// <summary>Finds cycles between the namespaces below a root, each with the types that close it. Empty if all dependencies point one way.</summary>
    public static IReadOnlyList<string> CyclesOf(Assembly assembly, string root)
    {
        // The cache would keep 200 MB for as long as the process runs.
        var architecture = new ArchLoader().WithoutArchitectureCache().LoadAssembly(assembly).Build();
        return [.. SliceRuleDefinition.Slices().Matching($"{root}(**)").Should().BeFreeOfCycles()
            .Evaluate(architecture).Where(static result => !result.Passed).Select(static result => result.Description)];
    }
}
