using Xunit;

namespace CredentialModule.Tests.Policies;

/// <summary>The evaluator is worth something only if it finds trouble where there is some, and if its two halves agree.</summary>
public sealed class ReachTests
{
    [Theory]
    [InlineData("a/+/c", "a/b/c", true)]
    [InlineData("a/+", "a/b/c", false)]
    [InlineData("a/+", "a/", true)]
    [InlineData("a/+", "a", false)]
    [InlineData("a/#", "a", true)]
    [InlineData("a/#", "a/b/c", true)]
    [InlineData("#", "a/b", true)]
    [InlineData("#", "$aws/things", false)]
    [InlineData("+/things", "$aws/things", false)]
    [InlineData("$aws/#", "$aws/things", true)]
    [InlineData("a", "A", false)]
    [InlineData("+/+", "/a", true)]
    public void MqttMatches_IsAsTheStandardHasIt(string filter, string topic, bool expected) =>
        Assert.Equal(expected, Reach.MqttMatches(filter, topic));

    [Theory]
    [InlineData("a*c", "a/b/c", true)]
    [InlineData("a?c", "a/c", true)]
    [InlineData("a/+", "a/b", false)]
    [InlineData("a/+", "a/+", true)]
    [InlineData("A", "a", false)]
    [InlineData("a*", "a", true)]
    public void IamCovers_TakesMqttsWildcardsForThemselves(string pattern, string text, bool expected) =>
        Assert.Equal(expected, Reach.IamCovers(pattern, text));

    [Theory]
    [InlineData("client", "a*")]
    [InlineData("topic", "a/*/b")]
    [InlineData("topic", "?/a")]
    [InlineData("topicfilter", "a/*")]
    [InlineData("topicfilter", "a/?")]
    [InlineData("topicfilter", "a?b")]
    [InlineData("topicfilter", "+/a")]
    [InlineData("topicfilter", "a/+/b")]
    [InlineData("topicfilter", "a/#")]
    [InlineData("topicfilter", "*a")]
    [InlineData("topicfilter", "??")]
    [InlineData("topicfilter", "#")]
    [InlineData("topicfilter", "$share/a/*")]
    [InlineData("topicfilter", "$share/a/b/+")]
    [InlineData("topicfilter", "$a/*")]
    public void Walker_AcceptsExactlyWhatTheResourceReaches(string type, string pattern)
    {
        var resource = new Reach.Resource(type, pattern);
        foreach (var name in Names("ab/$", 5))
            Assert.True(Reach.Reaches(resource, name) == Walks(resource, name), $"{type}/{pattern} and `{name}`");
    }

    [Theory]
    [InlineData("a", "$aws/things/a/shadow/get", true)]
    [InlineData("a", "$aws/things/a/shadow/name/s/get", true)]
    [InlineData("a/s", "$aws/things/a/shadow/name/s/get", true)]
    [InlineData("a/s", "$aws/things/a/shadow/get", false)]
    [InlineData("a-*", "$aws/things/a-1/shadow/get", true)]
    [InlineData("a-*", "$aws/things/a-1/shadow/name/s/get", true)]
    [InlineData("a*", "$aws/things/b/shadow/get", false)]
    [InlineData("a", "$aws/things/a/get", false)]
    public void Reaches_Thing_ByItsShadowTopics(string pattern, string topic, bool expected)
    {
        var resource = new Reach.Resource("thing", pattern);
        Assert.Equal(expected, Reach.Reaches(resource, topic));
        Assert.Equal(expected, Walks(resource, topic));
    }

    [Theory]
    [InlineData("topicfilter/a/*", "topic/a", "a")]
    [InlineData("topicfilter/+/x", "topic/a/*", "a/x")]
    [InlineData("topicfilter/*", "topic/$aws/things/a", "$aws/things/a")]
    [InlineData("topicfilter/+/*", "topic/$aws/things/a", null)]
    [InlineData("topic/a/*", "topic/ab/*", null)]
    [InlineData("topic/*/a/*", "topic/*/b/*", "/b/a/")]
    [InlineData("client/a", "topic/a", null)]
    [InlineData("thing/a-*", "topic/$aws/things/a-1/shadow/get", "$aws/things/a-1/shadow/get")]
    public void Find_GivesANameThatBothReach(string one, string other, string? expected)
    {
        var (left, right) = (Reach.Resource.OfArn("arn:aws:iot:r:a:" + one), Reach.Resource.OfArn("arn:aws:iot:r:a:" + other));
        Assert.Equal(expected, MeetingSearch.Find(left, right));
        Assert.Equal(expected is null, MeetingSearch.Find(right, left) is null);
    }

    /// <summary>The refused vectors that are dangerous by themselves, and not by what someone else could add.</summary>
    [Theory]
    [InlineData("R01", "a", "aa")]
    [InlineData("R02", "a", "aa")]
    [InlineData("R03", "a", "a-b")]
    [InlineData("R04", "a", "b")]
    [InlineData("R07", "organizations", "acme")]
    [InlineData("R09", "a", "b")]
    [InlineData("R11", "a", "b")]
    public void Find_RefusedVectorThatIsUnsafe_HasTrouble(string vector, string one, string other)
    {
        var template = SessionPolicyVectorTests.Vectors.Select(row => row.Data).Single(row => row.Item1 == vector).Item4;
        // What is refused is never rendered; this is what would have been sent.
        IReadOnlyList<Reach.Resource> Resources(string id) => Reach.Resources(
            template.Replace("§", "arn:aws:iot:eu-west-1:111122223333:", StringComparison.Ordinal).Replace("{organizationId}", id, StringComparison.Ordinal));
        Assert.NotNull(MeetingSearch.Find(Resources(one), Resources(other)));
    }

    private static bool Walks(Reach.Resource resource, string name)
    {
        var walker = Walker.Of(resource);
        IEnumerable<Walker.State> states = walker.Start;
        foreach (var letter in name)
            states = [.. states.SelectMany(state => walker.Step(state, letter)).Distinct()];
        return states.Any(walker.IsEnd);
    }

    private static IEnumerable<string> Names(string letters, int longest)
    {
        IEnumerable<string> names = [""];
        for (var length = 1; length <= longest; length++)
        {
            names = [.. names.SelectMany(name => letters.Select(letter => name + letter))];
            foreach (var name in names)
                yield return name;
        }
    }
}
