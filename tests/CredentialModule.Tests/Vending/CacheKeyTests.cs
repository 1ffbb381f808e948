using System.Reflection;
using IotCredentials.Aws;
using IotCredentials.Vending;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class CacheKeyTests
{
    private static readonly AssumeRoleParameters s_request = new()
    {
        Environment = "Production",
        OrganizationId = "o-acme",
        Generation = null,
        RoleArn = "arn:aws:iam::111122223333:role/iot",
        Region = "eu-west-1",
        SessionPolicy = "{}",
        SessionTags = [new("a", "b"), new("c", "d")],
        ExternalId = null,
        SessionDuration = TimeSpan.FromHours(1),
        SessionName = "o-acme",
        SourceIdentity = null,
        GatewayIdentity = "arn:aws:sts::111122223333:assumed-role/gateway",
        StsAddress = "https://sts.eu-west-1.amazonaws.com",
    };

    [Fact]
    public void Of_EachInputChanged_IsAnotherKeyEachTime()
    {
        var properties = typeof(AssumeRoleParameters).GetProperties(BindingFlags.Public | BindingFlags.Instance);
        var keys = new List<string> { CacheKey.Of(s_request) };

        foreach (var property in properties)
        {
            var copy = (AssumeRoleParameters)typeof(AssumeRoleParameters).GetMethod("<Clone>$")!.Invoke(s_request, null)!;
            property.SetValue(copy, Changed(property.GetValue(s_request), property.PropertyType));
            keys.Add(CacheKey.Of(copy));
        }

        // A property that the key does not hold would repeat the first key.
        Assert.Equal(properties.Length + 1, keys.Distinct(StringComparer.Ordinal).Count());
        Assert.All(keys, key => Assert.Matches("^[0-9a-f]{16}-([0-9a-f]{16}|0)-[0-9a-f]{64}$", key));
    }

    [Fact]
    public void Of_SameInputs_IsTheSameKey() => Assert.Equal(CacheKey.Of(s_request), CacheKey.Of(s_request with { SessionTags = [.. s_request.SessionTags] }));

    public static TheoryData<string, string, string, string> Shifts => new()
    {
        { "o-a", "cme", "o-ac", "me" },
        { "o-acme", "", "", "o-acme" },
        { "a\0", "b", "a", "\0b" },
    };

    [Theory]
    [MemberData(nameof(Shifts))]
    public void Of_TextMovedFromOneFieldToTheNext_IsAnotherKey(string organization, string role, string otherOrganization, string otherRole) =>
        Assert.NotEqual(
            CacheKey.Of(s_request with { OrganizationId = organization, RoleArn = role }),
            CacheKey.Of(s_request with { OrganizationId = otherOrganization, RoleArn = otherRole }));

    [Fact]
    public void Of_TagsJoinedOtherwise_IsAnotherKey()
    {
        IReadOnlyList<KeyValuePair<string, string>>[] tags =
        [
            [], [new("a", "b")], [new("a", "b"), new("c", "d")], [new("a", "bc"), new("", "d")], [new("c", "d"), new("a", "b")], [new("ab", "cd")],
        ];

        var keys = tags.Select(list => CacheKey.Of(s_request with { SessionTags = list, ExternalId = "b" })).ToList();

        Assert.Equal(tags.Length, keys.Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void Of_NullAndEmpty_AreToldApart() =>
        Assert.NotEqual(CacheKey.Of(s_request with { ExternalId = null }), CacheKey.Of(s_request with { ExternalId = "" }));

    [Fact]
    public void OfEndpoint_EachInputChanged_IsAnotherKeyEachTime()
    {
        string[] inputs = ["Production", "identity", "eu-west-1", "https://iot", "https://sts"];
        var method = typeof(CacheKey).GetMethod(nameof(CacheKey.OfEndpoint))!;
        Assert.Equal(inputs.Length, method.GetParameters().Length);

        var keys = Enumerable.Range(-1, inputs.Length + 1)
            .Select(changed => (string)method.Invoke(null, [.. inputs.Select((input, i) => (object)(i == changed ? input + "x" : input))])!)
            .ToList();

        Assert.Equal(keys.Count, keys.Distinct(StringComparer.Ordinal).Count());
    }

    private static object Changed(object? value, Type type) => value switch
    {
        string text => text + "x",
        TimeSpan span => span + TimeSpan.FromTicks(1),
        IReadOnlyList<KeyValuePair<string, string>> tags => (IReadOnlyList<KeyValuePair<string, string>>)[.. tags, new("e", "f")],
        null when type == typeof(string) => "x",
        _ => throw new NotSupportedException($"Say here how a {type} is changed."),
    };
}
