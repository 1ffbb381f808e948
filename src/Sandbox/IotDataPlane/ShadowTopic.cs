using System.Text.RegularExpressions;

namespace Sandbox.IotDataPlane;

/// <summary>A request to the shadow of a thing.</summary>
/// <param name="Thing">The thing's name.</param>
/// <param name="Name">The shadow's name; null for the classic shadow.</param>
/// <param name="Operation"><c>get</c>, <c>update</c> or <c>delete</c>.</param>
internal sealed partial record ShadowTopic(string Thing, string? Name, string Operation)
{
    /// <summary>The beginning of the shadow's topics: <c>$aws/things/THING/shadow</c>, with <c>/name/NAME</c> for a named one.</summary>
    public string Prefix => Name is null ? $"$aws/things/{Thing}/shadow" : $"$aws/things/{Thing}/shadow/name/{Name}";

    /// <summary>Whether thing and shadow can have these names.</summary>
    public bool IsValid => ThingName().IsMatch(Thing) && (Name is null || ShadowName().IsMatch(Name));

    /// <summary>The request that a message on a topic makes; null if the topic is none for requests.</summary>
    public static ShadowTopic? ReadRequest(string topic)
    {
        var request = topic.Split('/') switch
        {
            ["$aws", "things", var thing, "shadow", "get" or "update" or "delete"] => new ShadowTopic(thing, null, topic[(topic.LastIndexOf('/') + 1)..]),
            ["$aws", "things", var thing, "shadow", "name", var name, "get" or "update" or "delete"] =>
                new ShadowTopic(thing, name, topic[(topic.LastIndexOf('/') + 1)..]),
            _ => null,
        };
        return request is { IsValid: true } ? request : null;
    }

    [GeneratedRegex(@"^[a-zA-Z0-9:_-]{1,128}\z")]
    private static partial Regex ThingName();

    [GeneratedRegex(@"^[$a-zA-Z0-9:_-]{1,64}\z")]
    private static partial Regex ShadowName();
}
