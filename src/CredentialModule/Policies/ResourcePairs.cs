namespace CredentialModule.Policies;

/// <summary>
/// The rule for two resources: whatever one covers for an organization, the other covers for no other organization. Each covers texts of the form
/// head, id, closer, anything; so the longer head has to be read as the shorter head and the beginning of an id, and that is the only way to meet.
/// What follows a closer is taken for anything at all: nothing unsafe passes, and there is nothing to search.
/// </summary>
internal sealed class ResourcePairs(OrganizationIdFormat ids, List<PolicyFinding> findings)
{
    /// <summary>Compares every two resources that are about the same kind of name.</summary>
    public void Check(IReadOnlyList<IotResource> resources)
    {
        for (var j = 1; j < resources.Count; j++)
        {
            for (var i = 0; i < j; i++)
            {
                var (one, other) = (resources[i], resources[j]);
                if (one.IsClient != other.IsClient)
                    continue;
                var (shorter, longer) = one.SpaceHead.Length <= other.SpaceHead.Length ? (one, other) : (other, one);
                if (Collide(shorter, longer) is { } example)
                    findings.Add(Describe(shorter, longer, example));
            }
        }
    }

    private PolicyCounterexample? Collide(IotResource shorter, IotResource longer)
    {
        if (!longer.SpaceHead.StartsWith(shorter.SpaceHead, StringComparison.Ordinal))
            return null;
        var between = longer.SpaceHead[shorter.SpaceHead.Length..];
        // With the same head both ids are the longest run of an id's characters behind it: they are the same id.
        if (between.Length == 0)
            return null;
        var read = between + ids.Prefix;
        if (!read.StartsWith(ids.Prefix, StringComparison.Ordinal))
            return null;
        var body = read[ids.Prefix.Length..];
        var run = body.TakeWhile(ids.Contains).Count();
        return run < body.Length ? EndsInHead(shorter, longer, body, run) : ContinuesIntoId(shorter, longer, body);
    }

    /// <summary>The shorter one's id is a part of the longer one's head: that organization meets every other.</summary>
    private PolicyCounterexample? EndsInHead(IotResource shorter, IotResource longer, string body, int run)
    {
        if (run is < 1 or > OrganizationIdFormat.LongestBody || !shorter.Closers.Contains(body[run]))
            return null;
        var reaching = Counterexample.Id(ids, body[..run]);
        var reached = reaching == ids.ShortestId ? Counterexample.Id(ids, new string(ids.Characters[0], 2)) : ids.ShortestId;
        return Counterexample.Meet(shorter, reaching, longer, reached);
    }

    /// <summary>The rest of the longer one's head and its id are, together, an id of the shorter one.</summary>
    private PolicyCounterexample? ContinuesIntoId(IotResource shorter, IotResource longer, string body)
    {
        if (body.Length >= OrganizationIdFormat.LongestBody || !shorter.Closers.Intersect(longer.Closers).Any())
            return null;
        return Counterexample.Meet(shorter, Counterexample.Id(ids, body + ids.Characters[0]), longer, ids.ShortestId);
    }

    private static PolicyFinding Describe(IotResource shorter, IotResource longer, PolicyCounterexample example)
    {
        var sentence = example.Shared is null
            ? $"for organization `{example.Reaching}` here and `{example.Reached}` there both begin alike, and what follows is not told apart"
            : Counterexample.Spell(shorter, example)[2..];
        return new PolicyFinding(
            FindingCode.Collision,
            $"{shorter.Where} and {longer.Where} meet: {sentence}. Give both the same text before {TemplateText.OrganizationPlaceholder}, or texts of which neither begins the other.")
        {
            Counterexample = example,
        };
    }
}
