using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>Every test that docs/security.md calls upon is there, and every threat of its tables calls upon one.</summary>
public sealed partial class SecurityDocumentationTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "docs", "security.md"));

    public static TheoryData<string, string> Named
    {
        get
        {
            var named = new TheoryData<string, string>();
            foreach (var test in TestName().Matches(s_text).DistinctBy(test => test.Value)) named.Add(test.Groups["class"].Value, test.Groups["method"].Value);
            return named;
        }
    }

    [Theory]
    [MemberData(nameof(Named))]
    public void A_test_that_is_named_is_there(string type, string method)
    {
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), $"{type}.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText).ToList();

        Assert.Contains(sources, source => Regex.IsMatch(source, $@"public (void|async Task|Task) {method}\("));
    }

    [Fact]
    public void Every_threat_has_an_answer_that_is_shown()
    {
        var rows = s_text.Split('\n')
            .SkipWhile(line => !line.StartsWith("## Tokens", StringComparison.Ordinal))
            .TakeWhile(line => !line.StartsWith("## TLS", StringComparison.Ordinal))
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| threat", StringComparison.Ordinal))
            .ToList();

        Assert.InRange(rows.Count, 35, int.MaxValue);
        Assert.All(rows, row => Assert.Matches(TestName(), row));
    }

    [GeneratedRegex(@"`(?<class>[A-Za-z]+Tests)\.(?<method>[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();
}
