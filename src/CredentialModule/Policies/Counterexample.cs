namespace CredentialModule.Policies;

/// <summary>Finds two organizations that a resource, or two, cannot keep apart, and says it in words.</summary>
internal static class Counterexample
{
    /// <summary>Two organizations that meet in one resource; null when none of the pairs that are tried do.</summary>
    public static PolicyCounterexample? Within(IotResource resource, OrganizationIdFormat ids)
    {
        var first = ids.Characters[0];
        // The second continues the first, by the character that was to close it where an id can hold it.
        var closer = resource.Tail.Length > 0 && ids.Contains(resource.Tail[0]) ? resource.Tail[0] : first;
        var one = ids.ShortestId;
        foreach (var other in new[] { Id(ids, $"{first}{closer}"), Id(ids, $"{first}{first}{first}") })
        {
            if (Meet(resource, one, resource, other) is { Shared: not null } example)
                return example;
        }

        return null;
    }

    /// <summary>Two organizations that meet in two resources, with a text that both cover where one is found.</summary>
    public static PolicyCounterexample Meet(IotResource reaching, OrganizationId one, IotResource reached, OrganizationId other) =>
        new(one, reaching.Source, other, reached.Source, Shared(reaching.Render(one), reached.Render(other), reaching.IsClient));

    /// <summary>The id with that after the prefix.</summary>
    public static OrganizationId Id(OrganizationIdFormat ids, string body) =>
        ids.TryParse(ids.Prefix + body, out var id) ? id : throw new ArgumentException("An example must be an id.", nameof(body));

    /// <summary>The example as the part of a sentence that follows what is wrong; nothing without a text that both cover.</summary>
    public static string Spell(IotResource reaching, PolicyCounterexample? example) => example?.Shared is null
        ? ""
        : $": organization `{example.Reaching}` could {reaching.Action.Phrase} `{example.Shared}`, which is organization `{example.Reached}`'s";

    private static string? Shared(Glob one, Glob other, bool isClient)
    {
        var shared = one.Intersect(other);
        return shared is not null && (isClient || IsTopic(shared)) ? shared : null;
    }

    /// <summary>A topic holds no wildcards, and what a shared subscription begins with is no part of one.</summary>
    private static bool IsTopic(string text) =>
        text.AsSpan().IndexOfAny('+', '#') < 0 && (!text.StartsWith('$') || text.StartsWith("$aws/", StringComparison.Ordinal));
}
