using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>The templates that are ways on the wire, in the tests of the emulated broker, are refused for that reason.</summary>
public sealed class UnsafeTemplateTests
{
    public static TheoryData<int, string> Ways => new(UnsafeTemplate.All.Select((template, index) => (index, template.Code)));

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_template_that_is_a_way_to_another_organization_is_refused(int index, string code)
    {
        var template = UnsafeTemplate.All[index];

        Assert.Contains(code, Templates.Codes(template.Text, Templates.Prefixed, [.. template.SharedTopics]));
    }

    [Fact]
    public void Every_refusal_that_is_documented_as_unsafe_has_a_way()
    {
        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "session-policies.md"));
        var rows = page[page.IndexOf("## Refusals", StringComparison.Ordinal)..].Split('\n').Where(row => row.Contains("| unsafe:", StringComparison.Ordinal));
        var codes = rows.SelectMany(row => Regex.Matches(row.Split('|')[1], "[A-Za-z]+")).Select(match => match.Value).ToList();

        Assert.NotEmpty(codes);
        Assert.Empty(codes.Except(UnsafeTemplate.All.Select(template => template.Code)));
    }
}
