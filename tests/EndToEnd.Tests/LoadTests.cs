using Xunit;

namespace EndToEnd.Tests;

/// <summary>The collection of tests that load the machine. They run one after another, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LoadTests
{
    public const string Name = "Load";
}
