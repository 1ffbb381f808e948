namespace IotCredentials.Policies;

/// <summary>Finds two organizations that one or two resources cannot keep apart, and describes them.</summary>
internal static class Counterexample
{
    /// <summary>Two organizations that collide in one resource; null if none of the tried pairs does.</summary>
    public static PolicyCounterexample? Within(IotResource resource, OrganizationIdFormat ids)
    {
        var (shortest, first) = (ids.ShortestId.Value, ids.Characters[0]);
        // The second id continues the first: by the character that should close it, if an id can hold that character.
        var closer = resource.Tail.Length > 0 && ids.Contains(resource.Tail[0]) ? resource.Tail[0] : first;
        foreach (var text in new[] { $"{shortest}{closer}", $"{shortest}{first}{first}" }.Concat(ids.Examples.Select(id => id.Value)))
        {
            if (ids.TryParse(text, out var other) && other != ids.ShortestId
                && Meet(resource, ids.ShortestId, resource, other) is { Shared: not null } example)
                return example;
        }

        return null;
    }

    /// <summary>Two organizations that collide in two resources, with a text that both cover if one is found.</summary>
    public static PolicyCounterexample Meet(IotResource reaching, OrganizationId one, IotResource reached, OrganizationId other) =>
        new(one, reaching.Source, other, reached.Source, Shared(reaching.Render(one), reached.Render(other), reaching.IsClient && reached.IsClient));

    /// <summary>The id that has the body after its prefix.</summary>
    public static OrganizationId Id(OrganizationIdFormat ids, string body) =>
        ids.TryParse(ids.Prefix + body, out var id) ? id : throw new ArgumentException("An example must be an id.", nameof(body));

    /// <summary>The example as the end of a finding's sentence; empty without a text that both cover.</summary>
    public static string Spell(IotResource reaching, PolicyCounterexample? example) => example?.Shared is null
        ? ""
        : $": organization `{example.Reaching}` could {reaching.Action.Phrase} `{example.Shared}`, which is organization `{example.Reached}`'s";

    private static string? Shared(Glob one, Glob other, bool isClient)
    {
        var shared = one.Intersect(other);
        return shared is not null && (isClient || IsTopic(shared)) ? shared : null;
    }

    /// <summary>
    /// Whether a text is a topic: it holds no wildcards, and does not begin with <c>$</c> unless with <c>$aws/</c>, because the beginning of a shared
    /// subscription is not part of a topic.
    /// </summary>
    private static bool IsTopic(string text) =>
        text.AsSpan().IndexOfAny('+', '#') < 0 && (!text.StartsWith('$') || text.StartsWith("$aws/", StringComparison.Ordinal));
}
