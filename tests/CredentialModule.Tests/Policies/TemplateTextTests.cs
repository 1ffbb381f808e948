using IotCredentials.Policies;
using Xunit;

namespace IotCredentials.Tests.Policies;

public sealed class TemplateTextTests
{
    // No format would let this id through; the constructor is used to show that rendering would not read it again if one did.
    private static readonly TemplateValues s_values = new(new OrganizationId("{region}{organizationId}"), "111122223333", "eu-west-1", "aws-cn");

    [Theory]
    [InlineData("", "")]
    [InlineData("plain", "plain")]
    [InlineData("{partition}:{region}:{accountId}", "aws-cn:eu-west-1:111122223333")]
    [InlineData("a{organizationId}b{organizationId}", "a{region}{organizationId}b{region}{organizationId}")]
    [InlineData("$ {region} $", "$ eu-west-1 $")]
    public void Render_ReplacesEachPlaceholderOnce(string text, string expected)
    {
        Assert.True(TemplateText.TryParse(text, Placeholders.All, out var template, out _));
        Assert.Equal(expected, template.Render(s_values));
        Assert.Equal(text, template.Source);
    }

    [Theory]
    [InlineData("{", FindingCode.StrayBrace)]
    [InlineData("}", FindingCode.StrayBrace)]
    [InlineData("a{organizationId", FindingCode.StrayBrace)]
    [InlineData("organizationId}", FindingCode.StrayBrace)]
    [InlineData("{{organizationId}}", FindingCode.StrayBrace)]
    [InlineData("{organizationId}}", FindingCode.StrayBrace)]
    [InlineData("{}", FindingCode.UnknownPlaceholder)]
    [InlineData("{OrganizationId}", FindingCode.UnknownPlaceholder)]
    [InlineData("{ organizationId }", FindingCode.UnknownPlaceholder)]
    [InlineData("{user}", FindingCode.UnknownPlaceholder)]
    [InlineData("${aws:username}", FindingCode.PolicyVariable)]
    [InlineData("${organizationId}", FindingCode.PolicyVariable)]
    [InlineData("a\"b", FindingCode.Character)]
    [InlineData("a\\b", FindingCode.Character)]
    [InlineData("a\tb", FindingCode.Character)]
    [InlineData("\u007f", FindingCode.Character)]
    [InlineData("\u00e9", FindingCode.Character)]
    public void TryParse_AnythingAmbiguous_IsRefused(string text, string code)
    {
        Assert.False(TemplateText.TryParse(text, Placeholders.All, out var template, out var finding));
        Assert.Null(template);
        Assert.Equal(code, finding.Code);
    }

    [Fact]
    public void TryParse_PlaceholderThatMeansNothingThere_IsRefused()
    {
        Assert.False(TemplateText.TryParse("{region}", Placeholders.OrganizationId, out _, out var finding));
        Assert.Equal(FindingCode.UnknownPlaceholder, finding.Code);
        Assert.Contains("here stand {organizationId}.", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{organizationId}", true)]
    [InlineData("{region}", false)]
    [InlineData("organizationId", false)]
    public void NamesOrganization_OnlyByItsPlaceholder(string text, bool expected)
    {
        Assert.True(TemplateText.TryParse(text, Placeholders.All, out var template, out _));
        Assert.Equal(expected, template.NamesOrganization);
    }
}
