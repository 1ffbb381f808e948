using IotCredentials.Policies;
using Xunit;

namespace IotCredentials.Tests.Policies;

public sealed class AssumeRoleInputReaderTests
{
    private readonly List<Finding> _findings = [];

    private string[] Codes => [.. _findings.Select(finding => finding.Code!)];

    [Theory]
    [InlineData("arn:aws:iam::111122223333:role/iot-organization", "aws")]
    [InlineData("arn:aws-cn:iam::111122223333:role/iot/devices/organization", "aws-cn")]
    [InlineData("arn:aws-us-gov:iam::111122223333:role/{organizationId}/iot", "aws-us-gov")]
    [InlineData("arn:aws-eusc:iam::111122223333:role/iot-organization", "aws-eusc")]
    [InlineData("arn:aws-iso-f:iam::111122223333:role/iot-organization", "aws-iso-f")]
    public void ReadRoleArn_OfARole_GivesItsAccountAndPartition(string text, string partition)
    {
        var role = Texts().ReadRoleArn("RoleArn", text);
        Assert.Empty(_findings);
        Assert.Equal(("111122223333", partition, text), (role!.AccountId, role.Partition, role.Arn.Source));
    }

    [Theory]
    [InlineData("", FindingCode.ArnShape)]
    [InlineData("iot-organization", FindingCode.ArnShape)]
    [InlineData("arn:aws-nope:iam::111122223333:role/iot", FindingCode.ArnShape)]
    [InlineData("arn:AWS:iam::111122223333:role/iot", FindingCode.ArnShape)]
    [InlineData("arn::iam::111122223333:role/iot", FindingCode.ArnShape)]
    [InlineData("arn:aws:iam::11112222333:role/iot", FindingCode.ArnShape)]
    [InlineData("arn:aws:iam::111122223333:user/iot", FindingCode.ArnShape)]
    [InlineData("arn:aws:iam::111122223333:role/", FindingCode.ArnShape)]
    [InlineData("arn:aws:iam::111122223333:role//iot", FindingCode.ArnShape)]
    [InlineData("arn:aws:iam::{accountId}:role/iot", FindingCode.UnknownPlaceholder)]
    [InlineData("arn:aws:iam::111122223333:role/iot*", FindingCode.Character)]
    [InlineData("arn:aws:iam::111122223333:role/i{organizationId}", FindingCode.Length)]
    public void ReadRoleArn_AnythingElse_IsRefused(string text, string code)
    {
        Assert.Null(Texts().ReadRoleArn("RoleArn", text));
        Assert.Equal([code], Codes);
        Assert.StartsWith("RoleArn ", _findings[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadRoleArn_NameOf64ForTheLongestId_IsRead()
    {
        Assert.NotNull(Texts().ReadRoleArn("RoleArn", "arn:aws:iam::111122223333:role/{organizationId}"));
        Assert.Null(new AssumeRoleInputReader(Templates.Prefixed, _findings).ReadRoleArn("RoleArn", "arn:aws:iam::111122223333:role/{organizationId}"));
    }

    [Fact]
    public void ReadExternalId_Length_Is2To1224ForEveryId()
    {
        Assert.NotNull(Texts().ReadExternalId("ExternalId", "x{organizationId}"));
        Assert.NotNull(Texts().ReadExternalId("ExternalId", new string('x', 1160) + "{organizationId}"));
        Assert.Empty(_findings);
        Assert.Null(Texts().ReadExternalId("ExternalId", "{organizationId}"));
        Assert.Null(Texts().ReadExternalId("ExternalId", new string('x', 1161) + "{organizationId}"));
        Assert.Null(Texts().ReadExternalId("ExternalId", "a b"));
        Assert.Equal([FindingCode.Length, FindingCode.Length, FindingCode.Character], Codes);
    }

    [Fact]
    public void ReadTags_ComeInTheOrderOfTheirKeys()
    {
        var tags = Texts().ReadTags("SessionTags", [new("b", "{organizationId}"), new("a", ""), new("B2", new string('x', 256))]);
        Assert.Equal(["B2", "a", "b"], tags!.Select(tag => tag.Key));
    }

    [Theory]
    [InlineData("", "x", FindingCode.Character)]
    [InlineData("{organizationId}", "x", FindingCode.Character)]
    [InlineData("aws:team", "x", FindingCode.Character)]
    [InlineData("a*", "x", FindingCode.Character)]
    [InlineData("a", "x*", FindingCode.Character)]
    [InlineData("a", "{region}", FindingCode.UnknownPlaceholder)]
    public void ReadTags_OfWhatStsRefuses_IsRefused(string key, string value, string code)
    {
        Assert.Null(Texts().ReadTags("SessionTags", [new(key, value)]));
        Assert.Equal(code, Codes[0]);
    }

    [Fact]
    public void ReadTags_TooLongTooManyOrTwice_IsRefused()
    {
        Assert.Null(Texts().ReadTags("SessionTags", [new("a", new string('x', 193) + "{organizationId}"), new("A", "x"), new(new string('k', 129), "x")]));
        Assert.Null(Texts().ReadTags("SessionTags", Enumerable.Range(0, 51).Select(i => KeyValuePair.Create($"k{i}", "x"))));
        Assert.Equal([FindingCode.DuplicateMember, FindingCode.Length, FindingCode.Length, FindingCode.Length], Codes);
    }

    private AssumeRoleInputReader Texts() => new(Templates.Wide, _findings);
}
