namespace IotCredentials.Policies;

/// <summary>
/// The rules for two resources: a text that one covers for an organization is not covered by the other for another organization, and neither covers a shared
/// topic. The text after a closer is assumed to be anything at all, so nothing unsafe passes and no search is needed. docs/session-policies.md has the
/// argument.
/// </summary>
internal sealed class ResourceCollisionRule(OrganizationIdFormat ids, SharedTopics shared, List<Finding> findings)
{
    /// <summary>Compares every two resources of the same space, and each resource with the shared topics.</summary>
    public void Check(IReadOnlyList<IotResource> resources)
    {
        for (var j = 0; j < resources.Count; j++)
        {
            for (var i = 0; i < j; i++)
                Check(resources[i], resources[j]);
            if (resources[j].Space == IotSpace.Topics)
                CheckShared(resources[j]);
        }
    }

    private void Check(IotResource one, IotResource other)
    {
        if (one.Space != other.Space)
            return;
        if (one.IsFromRight || other.IsFromRight)
        {
            if (!AreApart(one.LiteralStart(ids), other.LiteralStart(ids)) && !AreReadAtOnePlace(one, other))
                Report(one, other, Example(one, other));
            return;
        }

        var (shorter, longer) = one.Head.Length <= other.Head.Length ? (one, other) : (other, one);
        // With the same head, both ids are at the same place, so they are the same id. With heads that differ, no text is covered by both.
        if (shorter.Head.Length == longer.Head.Length || !longer.Head.StartsWith(shorter.Head, StringComparison.Ordinal))
            return;
        if (IdReading.CanMeet(ids, longer.Head[shorter.Head.Length..], shorter.CloserTowards(longer), longer.CloserTowards(shorter), out var example))
            Report(shorter, longer, example is var (a, b) ? Counterexample.Meet(shorter, a, longer, b) : null);
    }

    private static bool AreApart(string one, string other)
    {
        var length = Math.Min(one.Length, other.Length);
        return !one.AsSpan(0, length).SequenceEqual(other.AsSpan(0, length));
    }

    /// <summary>Whether both ids end at the same place of a text that both cover, or there is no such text.</summary>
    private bool AreReadAtOnePlace(IotResource one, IotResource other) =>
        HaveComparableTails(one, other)
        && one.IsKnownFromRight(ids) && other.IsKnownFromRight(ids)
        && (one.Tail == other.Tail
            || (!one.Tail.EndsWith(other.Tail, StringComparison.Ordinal) && !other.Tail.EndsWith(one.Tail, StringComparison.Ordinal)));

    // In a topic about a client, the text after the client's name is not the tail of the client's own resource.
    private static bool HaveComparableTails(IotResource one, IotResource other) => one.Space == IotSpace.Topics || (one.IsClient && other.IsClient);

    private PolicyCounterexample? Example(IotResource one, IotResource other)
    {
        var some = ids.Examples.Take(3).ToList();
        return some.SelectMany(a => some.Where(b => a != b).Select(b => Counterexample.Meet(one, a, other, b)))
            .FirstOrDefault(example => example.Shared is not null);
    }

    private void CheckShared(IotResource resource)
    {
        foreach (var topic in shared.All.Where(topic => topic.Beginnings.Any(beginning => MayCover(resource, beginning))))
            findings.Add(Finding.Of(
                FindingCode.SharedTopicOverlap,
                $"{resource.Where} and the shared topic `{topic.Source}` can be about the same topic, which would be one organization's own and which all receive; "
                + "begin the shared one with a text that no organization's topics begin with."));
    }

    private bool MayCover(IotResource resource, SharedTopics.Beginning beginning)
    {
        if (AreApart(resource.LiteralStart(ids), beginning.Text))
            return false;
        if (resource.IsFromRight)
            return true;
        return beginning.Text.Length > resource.Head.Length
            ? IdReading.CanBegin(ids, beginning.Text[resource.Head.Length..], beginning.GoesOn, resource.CloserTowards(resource))
            : beginning.GoesOn;
    }

    private void Report(IotResource one, IotResource other, PolicyCounterexample? example)
    {
        var sentence = example?.Shared is not null
            ? Counterexample.Spell(one, other, example)[2..]
            : example is not null
                ? $"for organization `{example.Reaching}` here and `{example.Reached}` there both begin alike, and what follows is not told apart"
                : "both can begin alike, and it cannot be proven here that they end otherwise";
        findings.Add(Finding.Of(FindingCode.Collision, $"{one.Where} and {other.Where} meet: {sentence}. {Remedy(one, other)}.", example));
    }

    private string Remedy(IotResource one, IotResource other)
    {
        // The text before the name of a thing or a client depends on the type of resource.
        var name = one.Space switch { IotSpace.Things => "the thing's name", IotSpace.Clients => "the client's id", _ => null };
        if (!one.IsFromRight && !other.IsFromRight)
            return $"Give both the same text before {TemplateText.OrganizationPlaceholder}{(name is null ? "" : $" in {name}")}, "
                + "or texts of which neither begins the other";
        var beginnings = $"Begin {(name is null ? "them" : $"{name} in both")} with literals of which neither begins the other";
        return HaveComparableTails(one, other) && one.HasOpener(ids) && other.HasOpener(ids)
            ? $"{beginnings}, or write the same literals, or nothing, behind {TemplateText.OrganizationPlaceholder} in both"
            : beginnings;
    }
}
