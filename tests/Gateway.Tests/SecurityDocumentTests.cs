using System.Text.RegularExpressions;
using Xunit;

namespace Gateway.Tests;

/// <summary>What docs/security.md calls a test is one.</summary>
public sealed partial class SecurityDocumentTests
{
    [Fact]
    public void Every_test_that_it_names_is_there()
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "IotCredentials.sln"))) root = root.Parent!;
        var sources = Directory.EnumerateFiles(Path.Combine(root.FullName, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .ToLookup(file => Path.GetFileNameWithoutExtension(file), File.ReadAllText);

        var named = NamedTest().Matches(File.ReadAllText(Path.Combine(root.FullName, "docs", "security.md")));

        Assert.NotEmpty(named);
        Assert.All(named, test => Assert.Contains(sources[test.Groups["class"].Value], source => source.Contains($" {test.Groups["method"].Value}(", StringComparison.Ordinal)));
    }

    [GeneratedRegex("`(?<class>[A-Za-z]+Tests)\\.(?<method>[A-Za-z0-9_]+)`")]
    private static partial Regex NamedTest();
}
