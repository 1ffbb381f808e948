namespace CredentialModule.Policies;

/// <summary>
/// The rules for one resource: what stands before the organization is literal, and a literal that no id holds closes it. Then any text that the
/// resource covers for an organization names that organization at one known place, and no other can be read there.
/// </summary>
internal sealed class IotResourceReader(OrganizationIdFormat ids, List<PolicyFinding> findings)
{
    private const string Organization = TemplateText.OrganizationPlaceholder;
    private const string Shape = "arn:{partition}:iot:{region}:{accountId}:TYPE/…{organizationId}…";

    /// <summary>The type that a resource is of, as far as it can be told; says nothing when it cannot.</summary>
    public static IotResourceType? TypeOf(TemplateText text) =>
        text.Source.Split(':', 6) is [_, _, _, _, _, var name] && name.Contains('/') ? IotResourceTypes.Read(name.Split('/', 2)[0]) : null;

    /// <summary>The resource when it is good by itself; null with at least one finding when it is not.</summary>
    public IotResource? Read(string where, TemplateText text, IReadOnlyList<IotAction> actions)
    {
        where = $"{where} `{text.Source}`";
        var before = findings.Count;
        if (TypeOf(text) is not { } type || !HasArnShape(text.Source.Split(':', 6)))
        {
            Find(FindingCode.ArnShape, where,
                $"is not of the shape {Shape}, where TYPE is client, topic, topicfilter or thing, and no wildcard stands before it.");
            if (!text.NamesOrganization)
                FindNoOrganization(where);
            return null;
        }

        // Braces stand only around known names by now, and none of those holds a colon: the source can be cut like the rendered text.
        var name = text.Source.Split(':', 6)[5].Split('/', 2)[1];
        var index = name.IndexOf(Organization, StringComparison.Ordinal);
        if (index < 0)
        {
            FindNoOrganization(where);
            return null;
        }

        var action = actions.Concat(IotAction.All).First(action => action.Type == type);
        var resource = new IotResource(where, text.Source, type, name[..index], name[(index + Organization.Length)..], action);
        resource = CheckReserved(resource);
        CheckHead(resource);
        CheckCloser(resource);
        CheckTail(resource);
        return findings.Count == before ? resource : null;
    }

    private static bool HasArnShape(string[] parts) =>
        parts is ["arn", "{partition}" or "aws" or "aws-cn" or "aws-us-gov", "iot", var region, var account, _]
        && (region == "{region}" || (region.Length > 0 && region.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')))
        && (account == "{accountId}" || (account.Length == 12 && account.All(char.IsAsciiDigit)));

    private void CheckHead(IotResource resource)
    {
        if (resource.Head.AsSpan().IndexOfAny("*?+#") is var wildcard and >= 0)
        {
            var example = Counterexample.Within(resource, ids);
            Find(FindingCode.WildcardBeforeOrganization, resource.Where,
                $"has `{resource.Head[wildcard]}` before {Organization}, so that an id can be read in more than one place{Counterexample.Spell(resource, example)}; write literals there.",
                example);
        }

        if (resource.Head.Contains('{'))
            FindPlaceholder(resource, "before");
        // A slash ends a thing's name; what follows names a shadow, whose topics have the slash elsewhere.
        if (resource.Type == IotResourceType.Thing && resource.Head.Contains('/'))
            Find(FindingCode.ArnShape, resource.Where, $"has `/` before {Organization}; the name of a thing holds none.");
    }

    private void CheckCloser(IotResource resource)
    {
        if (resource.Tail.Length == 0)
            return;
        var closer = resource.Tail[0];
        if (!ids.Contains(closer) && closer is not ('*' or '?' or '+' or '#' or '{'))
            return;
        var example = Counterexample.Within(resource, ids);
        var what = closer == '{' ? "a placeholder" : $"`{closer}`";
        Find(FindingCode.NotClosed, resource.Where,
            $"has {what} right after {Organization}, where one id can go on as another{Counterexample.Spell(resource, example)}; write a literal there that no id holds, such as `/` or `:`, or nothing.",
            example);
    }

    private void CheckTail(IotResource resource)
    {
        if (resource.Tail.Replace(Organization, "", StringComparison.Ordinal).Contains('{'))
            FindPlaceholder(resource, "after");
        if (resource.Tail.AsSpan().IndexOfAny('+', '#') < 0)
            return;
        if (resource.Type != IotResourceType.TopicFilter)
        {
            Find(FindingCode.FilterGrammar, resource.Where,
                "has `+` or `#`, which IAM takes for themselves; they are wildcards only in a topicfilter, for IAM write `*`.");
            return;
        }

        // MQTT 3.1.1, 4.7.1: each is a whole level, and # is the last.
        var levels = resource.Tail.Split('/');
        for (var i = 0; i < levels.Length; i++)
        {
            var isWildcard = i > 0 && (levels[i] == "+" || (levels[i] == "#" && i == levels.Length - 1));
            if (!isWildcard && levels[i].AsSpan().IndexOfAny('+', '#') >= 0)
                Find(FindingCode.FilterGrammar, resource.Where,
                    "has `+` or `#` in a place that MQTT has none: each is a whole level, and `#` is the last.");
        }
    }

    private IotResource CheckReserved(IotResource resource)
    {
        var dollar = resource.Head.LastIndexOf('$');
        if (resource.Tail.Contains('$') || dollar > 0)
        {
            Find(FindingCode.ReservedTopic, resource.Where,
                "has `$` inside; it may only begin `$aws/things/…`, `$aws/rules/NAME/…` or, in a topicfilter, `$share/GROUP/…`.");
            return resource;
        }

        if (dollar < 0)
            return resource;
        var isTopic = resource.Type is IotResourceType.Topic or IotResourceType.TopicFilter;
        if (isTopic && Follows(resource, "$aws/things/") is not null)
            return resource;
        if (isTopic && Follows(resource, "$aws/rules/") is { } rule)
        {
            // The rule's name is not the organization's, so what the rule gets would still have to be told apart by someone.
            RequireLevel(resource, rule, FindingCode.OrganizationIsRuleName,
                $"has {Organization} in a rule's name, which keeps nobody out of anything; write $aws/rules/NAME/…{Organization}…");
            return resource;
        }

        if (resource.Type == IotResourceType.TopicFilter && Follows(resource, "$share/") is { } group)
        {
            RequireLevel(resource, group, FindingCode.OrganizationIsShareGroup,
                $"has {Organization} in a share group's name, and the filter behind it can be any; write $share/GROUP/…{Organization}…");
            // IAM's wildcards cover `/` as well, so a group that is not literal can hold the head of another filter: it stays, and is judged with the rest.
            var end = group.IndexOf('/', StringComparison.Ordinal);
            return end >= 0 && group.AsSpan(0, end).IndexOfAny("*?+#{") < 0 ? resource with { Head = group[(end + 1)..] } : resource;
        }

        Find(FindingCode.ReservedTopic, resource.Where,
            "begins with `$`; of those a session may have `$aws/things/…`, `$aws/rules/NAME/…` and, in a topicfilter, `$share/GROUP/…`.");
        return resource;
    }

    private static string? Follows(IotResource resource, string start) =>
        resource.Head.StartsWith(start, StringComparison.Ordinal) ? resource.Head[start.Length..] : null;

    private void RequireLevel(IotResource resource, string rest, string code, string message)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            Find(code, resource.Where, message);
        else if (slash == 0)
            Find(FindingCode.ReservedTopic, resource.Where, "has an empty name after `$aws/rules/` or `$share/`.");
    }

    private void FindNoOrganization(string where) =>
        Find(FindingCode.NoOrganization, where, $"names no organization, so that all of them share it; write {Organization} into it.");

    private void FindPlaceholder(IotResource resource, string side) =>
        Find(FindingCode.PlaceholderInResource, resource.Where,
            $"has a placeholder {side} {Organization} that is not decided until it is rendered; write its value.");

    private void Find(string code, string where, string message, PolicyCounterexample? example = null) =>
        findings.Add(new PolicyFinding(code, $"{where} {message}") { Counterexample = example });
}
