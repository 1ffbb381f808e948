using Xunit;

namespace IotCredentials.Tests;

public sealed class OrganizationIdFormatTests
{
    [Theory]
    [InlineData("", "A-Za-z0-9_-", "o-1")]
    [InlineData("", "A-Za-z0-9_-", "-")]
    [InlineData("", "a-z", "organizations")]
    [InlineData("o-", "A-Za-z0-9", "o-acme")]
    [InlineData("o-", "A-Za-z0-9", "o-a")]
    [InlineData("", "-a", "-a")]
    [InlineData("", "a-", "a-")]
    [InlineData("", "_-a", "a-_")]
    public void TryParse_IdOfTheForm_IsRead(string prefix, string characters, string text)
    {
        Assert.True(Format(prefix, characters).TryParse(text, out var id));
        Assert.Equal(text, id.Value);
        Assert.Equal(text, id.ToString());
    }

    [Theory]
    [InlineData("", "A-Za-z0-9_-", null)]
    [InlineData("", "A-Za-z0-9_-", "")]
    [InlineData("", "A-Za-z0-9_-", "a/b")]
    [InlineData("", "A-Za-z0-9_-", "a*")]
    [InlineData("", "A-Za-z0-9_-", "{organizationId}")]
    [InlineData("", "A-Za-z0-9_-", "a ")]
    [InlineData("", "A-Za-z0-9_-", "a\n")]
    [InlineData("", "A-Za-z0-9_-", "\u0430")]
    [InlineData("", "A-Za-z0-9_-", "\uff41")]
    [InlineData("", "a-z", "Acme")]
    [InlineData("", "_-a", "^")]
    [InlineData("", "_-a", "b")]
    [InlineData("o-", "A-Za-z0-9", "o-")]
    [InlineData("o-", "A-Za-z0-9", "O-acme")]
    [InlineData("o-", "A-Za-z0-9", "acme")]
    [InlineData("o-", "A-Za-z0-9", "o-a-b")]
    public void TryParse_AnythingElse_IsRefused(string prefix, string characters, string? text)
    {
        Assert.False(Format(prefix, characters).TryParse(text, out var id));
        Assert.Null(id);
    }

    [Fact]
    public void TryParse_Length_Is1To64AfterThePrefix()
    {
        var format = Format("o-", "a-z");
        Assert.True(format.TryParse("o-" + new string('a', 64), out _));
        Assert.False(format.TryParse("o-" + new string('a', 65), out _));
        Assert.Equal("o-" + new string('a', 64), format.LongestId.Value);
        Assert.True(format.TryParse(format.LongestId.Value, out _));
    }

    [Theory]
    [InlineData("", "A-z", FindingCode.Range)]
    [InlineData("", "z-a", FindingCode.Range)]
    [InlineData("", "0-Z", FindingCode.Range)]
    [InlineData("", "a-c-e", FindingCode.Range)]
    [InlineData("", "A-Za-z0-9_+", FindingCode.IdAlphabet)]
    [InlineData("", "A-Za-z0-9/", FindingCode.IdAlphabet)]
    [InlineData("", "A-Za-z0-9.", FindingCode.IdAlphabet)]
    [InlineData("", "a-z\0", FindingCode.IdAlphabet)]
    [InlineData("", "\u0430", FindingCode.IdAlphabet)]
    [InlineData("", "", FindingCode.IdAlphabet)]
    [InlineData("o:", "a-z", FindingCode.IdAlphabet)]
    [InlineData("o*", "a-z", FindingCode.IdAlphabet)]
    [InlineData("\0", "a-z", FindingCode.IdAlphabet)]
    public void TryCreate_OptionsThatNameNoSafeSet_SaysWhy(string prefix, string characters, string code)
    {
        Assert.Null(OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = prefix, Characters = characters }, out var findings));
        Assert.Equal(code, Assert.Single(findings).Code);
    }

    [Fact]
    public void TryCreate_SeveralMistakes_AreAllFound()
    {
        OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = "/", Characters = "A-z." }, out var findings);
        Assert.Equal([FindingCode.IdAlphabet, FindingCode.Range, FindingCode.IdAlphabet], findings.Select(finding => finding.Code));
    }

    [Fact]
    public void Ids_AreComparedByOrdinal()
    {
        var format = Format("", "A-Za-z");
        Assert.True(format.TryParse("acme", out var id));
        Assert.True(format.TryParse(new string("acme".AsSpan()), out var same));
        Assert.True(format.TryParse("Acme", out var other));
        Assert.True(id == same);
        Assert.Equal(id.GetHashCode(), same.GetHashCode());
        Assert.True(id != other);
        Assert.False(id.Equals(null));
    }

    private static OrganizationIdFormat Format(string prefix, string characters)
    {
        var format = OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = prefix, Characters = characters }, out var findings);
        Assert.Empty(findings);
        return format!;
    }
}
