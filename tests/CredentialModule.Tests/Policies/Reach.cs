using System.Text.Json;

namespace IotCredentials.Tests.Policies;

/// <summary>What a rendered policy lets its holder reach, worked out from IAM's and MQTT's own words; it shares nothing with the rules under test.</summary>
internal static class Reach
{
    /// <summary>In a text: the name of a share group or of a rule, one that the pattern covers if it can.</summary>
    private const char AnyGroup = '\u0001';

    /// <summary>A resource of an Allow: its type and the pattern behind it.</summary>
    internal readonly record struct Resource(string Type, string Pattern)
    {
        public static Resource OfArn(string arn)
        {
            var name = string.Join(':', arn.Split(':')[5..]);
            var slash = name.IndexOf('/', StringComparison.Ordinal);
            return new Resource(name[..slash], name[(slash + 1)..]);
        }

        public bool IsClient => Type == "client";
    }

    /// <summary>The resources of every Allow; conditions, denials and actions only narrow it.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="action">The action that a statement has to allow; null: any.</param>
    public static IReadOnlyList<Resource> Resources(string policy, string? action = null)
    {
        using var document = JsonDocument.Parse(policy);
        return
        [
            .. from statement in document.RootElement.GetProperty("Statement").EnumerateArray()
               where statement.GetProperty("Effect").GetString() == "Allow"
               where action is null || Texts(statement.GetProperty("Action")).Contains(action)
               from arn in Texts(statement.GetProperty("Resource"))
               select Resource.OfArn(arn),
        ];
    }

    private static IEnumerable<string> Texts(JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? [.. element.EnumerateArray().Select(each => each.GetString()!)] : [element.GetString()!];

    /// <summary>How AWS's topics of one thing begin; the thing's name and a slash follow.</summary>
    public static IReadOnlyList<string> ThingTopics { get; } =
        ["$aws/things/", "$aws/commands/things/", "$aws/events/thing/", "$aws/events/thingTypeAssociation/thing/"];

    /// <summary>
    /// What a name and a slash follow, and then the topic that a message has: for the members of a share group, and for a rule (Basic Ingest).
    /// </summary>
    public static IReadOnlyList<string> Named { get; } = ["$share/", "$aws/rules/"];

    /// <summary>How AWS's topics of one client begin that end with its id.</summary>
    public static IReadOnlyList<string> ClientTopics { get; } =
    [
        "$aws/events/presence/connected/", "$aws/events/presence/disconnected/", "$aws/events/presence/connect_failed/",
        "$aws/events/subscriptions/subscribed/", "$aws/events/subscriptions/unsubscribed/",
    ];

    /// <summary>How AWS's topics of one client begin that go on behind its id.</summary>
    public const string ClientCommands = "$aws/commands/clients/";

    /// <summary>Whether the resource reaches the client id.</summary>
    public static bool ReachesClient(Resource resource, string id) => resource.IsClient && IamCovers(resource.Pattern, id);

    /// <summary>Whether the resource reaches the topic: by itself, or because the topic is of a thing or a client that it reaches.</summary>
    public static bool Reaches(Resource resource, string topic) => resource.Type switch
    {
        "client" => ClientsOf(topic).Any(client => IamCovers(resource.Pattern, client)),
        "topic" => Named.Select(start => $"{start}{AnyGroup}/{topic}").Prepend(topic).Any(text => IamCovers(resource.Pattern, text)),
        "topicfilter" => FiltersFor(topic).Any(filter => IamCovers(resource.Pattern, filter)),
        "thing" => ThingsOf(topic).Any(thing => IamCovers(resource.Pattern, thing)),
        _ => throw new ArgumentException(resource.Type, nameof(resource)),
    };

    /// <summary>IAM: <c>*</c> is any text, <c>?</c> any character, case counts; MQTT's wildcards are themselves.</summary>
    public static bool IamCovers(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        if (pattern.IsEmpty)
            return text.IsEmpty;
        if (pattern[0] == '*')
            return IamCovers(pattern[1..], text) || (!text.IsEmpty && IamCovers(pattern, text[1..]));
        if (text.IsEmpty)
            return false;
        if (text[0] == AnyGroup)
            return pattern[0] is not ('/' or '+' or '#') && (IamCovers(pattern[1..], text) || IamCovers(pattern[1..], text[1..]));
        return (pattern[0] == '?' || pattern[0] == text[0]) && IamCovers(pattern[1..], text[1..]);
    }

    /// <summary>MQTT 3.1.1, 4.7: whether a topic filter matches a topic.</summary>
    public static bool MqttMatches(string filter, string topic)
    {
        var (levels, names) = (filter.Split('/'), topic.Split('/'));
        if (topic.StartsWith('$') && levels[0] is "+" or "#")
            return false;
        for (var i = 0; i < levels.Length; i++)
        {
            // Asked before the names run out: x/# matches x as well.
            if (levels[i] == "#")
                return true;
            if (i >= names.Length || (levels[i] != "+" && levels[i] != names[i]))
                return false;
        }

        return levels.Length == names.Length;
    }

    /// <summary>Every filter that matches the topic, alone, in a shared subscription and behind a rule's name.</summary>
    private static IEnumerable<string> FiltersFor(string topic)
    {
        var names = topic.Split('/');
        var starts = new List<string> { "" };
        var filters = new List<string>();
        for (var i = 0; i < names.Length; i++)
        {
            filters.AddRange(starts.Select(start => start + "#"));
            starts = [.. starts.SelectMany(start => new[] { start + names[i], start + "+" })];
            filters.AddRange(i == names.Length - 1 ? starts.SelectMany(start => new[] { start, start + "/#" }) : []);
            starts = [.. starts.Select(start => start + "/")];
        }

        return filters.Where(filter => MqttMatches(filter, topic)).SelectMany(filter => Named.Select(start => $"{start}{AnyGroup}/{filter}").Prepend(filter));
    }

    /// <summary>The things, and named shadows, whose topic it is.</summary>
    private static IEnumerable<string> ThingsOf(string topic)
    {
        foreach (var start in ThingTopics.Where(start => topic.StartsWith(start, StringComparison.Ordinal)))
        {
            if (topic[start.Length..].Split('/') is not [var thing, _, ..] levels)
                continue;
            yield return thing;
            if (start == ThingTopics[0] && levels is [_, "shadow", "name", var shadow, _, ..])
                yield return $"{thing}/{shadow}";
        }
    }

    /// <summary>The clients whose topic it is.</summary>
    private static IEnumerable<string> ClientsOf(string topic)
    {
        foreach (var start in ClientTopics.Where(start => topic.StartsWith(start, StringComparison.Ordinal)))
            yield return topic[start.Length..];
        if (!topic.StartsWith(ClientCommands, StringComparison.Ordinal))
            yield break;
        // An id may hold a slash.
        for (var i = ClientCommands.Length; i < topic.Length; i++)
        {
            if (topic[i] == '/')
                yield return topic[ClientCommands.Length..i];
        }
    }
}
