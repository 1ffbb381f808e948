using Xunit;

namespace IotCredentials.Tests.Policies;

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
    [InlineData("topicfilter", "$aws/rules/a/*")]
    [InlineData("topic", "$aws/rules/a/b/*")]
    [InlineData("topic", "$share/a/*")]
    public void Walker_AcceptsExactlyWhatTheResourceReaches(string type, string pattern)
    {
        var resource = new Reach.Resource(type, pattern);
        foreach (var name in Names("ab/$", 5))
        {
            var reaches = resource.IsClient ? Reach.ReachesClient(resource, name) : Reach.Reaches(resource, name);
            Assert.True(reaches == Walks(resource, name), $"{type}/{pattern} and `{name}`");
        }
    }

    [Theory]
    [InlineData("a", "$aws/things/a/shadow/get", true)]
    [InlineData("a", "$aws/things/a/shadow/name/s/get", true)]
    [InlineData("a/s", "$aws/things/a/shadow/name/s/get", true)]
    [InlineData("a/s", "$aws/things/a/shadow/get", false)]
    [InlineData("a-*", "$aws/things/a-1/shadow/get", true)]
    [InlineData("a-*", "$aws/things/a-1/shadow/name/s/get", true)]
    [InlineData("a*", "$aws/things/b/shadow/get", false)]
    [InlineData("a", "$aws/things/a/get", true)]
    [InlineData("a", "$aws/things/a", false)]
    [InlineData("a", "$aws/things/a/jobs/notify", true)]
    [InlineData("a", "$aws/commands/things/a/executions/1/request", true)]
    [InlineData("a", "$aws/events/thing/a/created", true)]
    [InlineData("a", "$aws/events/thingTypeAssociation/thing/a/t", true)]
    [InlineData("a", "$aws/events/presence/connected/a", false)]
    [InlineData("a/s", "$aws/commands/things/a/executions/1/request", false)]
    public void Reaches_Thing_ByItsTopics(string pattern, string topic, bool expected)
    {
        var resource = new Reach.Resource("thing", pattern);
        Assert.Equal(expected, Reach.Reaches(resource, topic));
        Assert.Equal(expected, Walks(resource, topic));
    }

    [Theory]
    [InlineData("a*", "$aws/events/presence/connected/ab", true)]
    [InlineData("a/b", "$aws/events/presence/disconnected/a/b", true)]
    [InlineData("a", "$aws/events/presence/connected/a/b", false)]
    [InlineData("a", "$aws/events/subscriptions/unsubscribed/a", true)]
    [InlineData("a", "$aws/commands/clients/a/executions/1/request", true)]
    [InlineData("a/b", "$aws/commands/clients/a/b/executions/1/request", true)]
    [InlineData("a", "$aws/commands/clients/a", false)]
    [InlineData("a", "$aws/things/a/shadow/get", false)]
    public void Reaches_Client_ByItsTopics(string pattern, string topic, bool expected)
    {
        var resource = new Reach.Resource("client", pattern);
        Assert.Equal(expected, Reach.Reaches(resource, topic));
        Assert.Equal(expected, Walks(resource, topic, Walker.Of(resource)));
    }

    [Theory]
    [InlineData("topicfilter/a/*", "topic/a", "a")]
    [InlineData("topicfilter/+/x", "topic/a/*", "a/x")]
    [InlineData("topicfilter/*", "topic/$aws/things/a", "$aws/things/a")]
    [InlineData("topicfilter/+/*", "topic/$aws/things/a", null)]
    [InlineData("topic/a/*", "topic/ab/*", null)]
    [InlineData("topic/*/a/*", "topic/*/b/*", "/")] // behind rules that are named a and b
    [InlineData("topic/a/*", "topic/$aws/rules/r/a/b", "a/b")]
    [InlineData("topic/a/*", "topic/$share/g/a/b", "a/b")]
    [InlineData("topic/a/*", "topic/$aws/rules/r/b/*", null)]
    [InlineData("client/a", "topic/a", null)]
    [InlineData("thing/a-*", "topic/$aws/things/a-1/shadow/get", "$aws/things/a-1/shadow/get")]
    [InlineData("thing/a-*", "topic/$aws/commands/things/a-1/executions/x/request", "$aws/commands/things/a-1/executions/x/request")]
    [InlineData("client/a-*", "topicfilter/$aws/events/presence/+/a-1", "$aws/events/presence/connected/a-1")]
    [InlineData("client/a/b", "topic/$aws/events/presence/connected/a/c", null)]
    [InlineData("topic/$aws/things/a-1/shadow/get", "topic/$aws/commands/things/a-*/executions/*", "a-1")]
    [InlineData("topic/$aws/things/a/shadow/get", "topic/$aws/commands/things/b/executions/*", null)]
    [InlineData("topic/$aws/events/presence/connected/a", "topicfilter/$aws/commands/clients/a/#", "a")]
    [InlineData("topic/$aws/events/thing/a/*", "topicfilter/$aws/things/+/shadow/get", "a")]
    public void Find_GivesANameThatBothReach(string one, string other, string? expected)
    {
        var (left, right) = (Reach.Resource.OfArn("arn:aws:iot:r:a:" + one), Reach.Resource.OfArn("arn:aws:iot:r:a:" + other));
        Assert.Equal(expected, MeetingSearch.Find(left, right)?.Name);
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

    private static bool Walks(Reach.Resource resource, string name) =>
        Walks(resource, name, resource.IsClient ? Walker.OfClientId(resource) : Walker.Of(resource));

    private static bool Walks(Reach.Resource resource, string name, Walker walker)
    {
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
