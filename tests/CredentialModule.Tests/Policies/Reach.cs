using System.Text.Json;

namespace CredentialModule.Tests.Policies;

/// <summary>What a rendered policy lets its holder reach, worked out from IAM's and MQTT's own words; it shares nothing with the rules under test.</summary>
internal static class Reach
{
    /// <summary>In a text: a share group, one that the pattern covers if it can.</summary>
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
    public static IReadOnlyList<Resource> Resources(string policy)
    {
        using var document = JsonDocument.Parse(policy);
        return
        [
            .. from statement in document.RootElement.GetProperty("Statement").EnumerateArray()
               where statement.GetProperty("Effect").GetString() == "Allow"
               let resource = statement.GetProperty("Resource")
               from arn in resource.ValueKind == JsonValueKind.Array ? resource.EnumerateArray().ToArray() : [resource]
               select Resource.OfArn(arn.GetString()!),
        ];
    }

    /// <summary>Whether the resource reaches the client id or the topic.</summary>
    public static bool Reaches(Resource resource, string name) => resource.Type switch
    {
        "client" or "topic" => IamCovers(resource.Pattern, name),
        "topicfilter" => FiltersFor(name).Any(filter => IamCovers(resource.Pattern, filter)),
        "thing" => ThingsOf(name).Any(thing => IamCovers(resource.Pattern, thing)),
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

    /// <summary>Every filter that matches the topic, alone and in a shared subscription.</summary>
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

        return filters.Where(filter => MqttMatches(filter, topic)).SelectMany(filter => new[] { filter, $"$share/{AnyGroup}/{filter}" });
    }

    /// <summary>The things, and named shadows, whose shadow topic it is.</summary>
    private static IEnumerable<string> ThingsOf(string topic)
    {
        if (topic.Split('/') is not ["$aws", "things", var thing, "shadow", .. var rest])
            yield break;
        if (rest.Length > 0)
            yield return thing;
        if (rest is ["name", var shadow, _, ..])
            yield return $"{thing}/{shadow}";
    }
}
