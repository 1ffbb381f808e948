using System.Text.RegularExpressions;
using Gateway.Explanations;
using Testing;
using Xunit;

namespace Gateway.Tests.Explanations;

public sealed partial class ReasonTextTests
{
    [Fact]
    public void Every_reason_that_the_access_log_documents_has_a_text()
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "access-log.md"));
        var rows = page[page.IndexOf("### Reasons", StringComparison.Ordinal)..page.IndexOf("## The audit log", StringComparison.Ordinal)]
            .Split('\n').Where(static row => row.StartsWith("| `", StringComparison.Ordinal));
        string[] words = [.. rows.SelectMany(static row => Word().Matches(row.Split('|')[1]).Select(static word => word.Groups[1].Value))];

        Assert.True(words.Length > 40);
        Assert.All(words, static word => Assert.NotNull(ReasonText.Of(word)));
        Assert.Null(ReasonText.Of("unheard_of"));
    }

    [GeneratedRegex("`([a-zA-Z_:]+)`")]
    private static partial Regex Word();
}
