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

    /// <summary>Two organizations that collide in two resources, with a client id or a topic that both reach if one is found.</summary>
    public static PolicyCounterexample Meet(IotResource reaching, OrganizationId one, IotResource reached, OrganizationId other) =>
        new(one, reaching.Source, other, reached.Source, Shared(reaching, one, reached, other));

    /// <summary>The id that has the body after its prefix.</summary>
    public static OrganizationId Id(OrganizationIdFormat ids, string body) =>
        ids.TryParse(ids.Prefix + body, out var id) ? id : throw new ArgumentException("An example must be an id.", nameof(body));

    /// <summary>The example as the end of a finding's sentence; empty without a client id or a topic that both reach.</summary>
    public static string Spell(IotResource reaching, IotResource reached, PolicyCounterexample? example) => example?.Shared is null
        ? ""
        : $": organization `{example.Reaching}` could {reaching.Action.Phrase}{(reaching.IsClient && !reached.IsClient ? " the client behind" : "")} "
            + $"`{example.Shared}`, which is organization `{example.Reached}`'s";

    // A client's id is no topic. Only two client resources are compared by ids; any other two reach a common topic or none.
    private static string? Shared(IotResource reaching, OrganizationId one, IotResource reached, OrganizationId other) =>
        reaching.IsClient && reached.IsClient
            ? reaching.ClientIds(one).Intersect(reached.ClientIds(other))
            : (from mine in reaching.Topics(one) from theirs in reached.Topics(other) select mine.Intersect(theirs))
                .FirstOrDefault(shared => shared is not null && IsTopic(shared));

    /// <summary>
    /// Whether a text is a topic: it holds no wildcards, and does not begin with <c>$</c> unless with <c>$aws/</c>, because the beginning of a shared
    /// subscription is not part of a topic.
    /// </summary>
    private static bool IsTopic(string text) =>
        text.AsSpan().IndexOfAny('+', '#') < 0 && (!text.StartsWith('$') || text.StartsWith("$aws/", StringComparison.Ordinal));
}
