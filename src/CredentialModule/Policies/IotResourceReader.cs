namespace IotCredentials.Policies;

/// <summary>
/// The rules for one resource: every text that it covers for an organization names that organization at one known place, and no other organization can be read
/// there. docs/session-policies.md has the argument.
/// </summary>
internal sealed class IotResourceReader(OrganizationIdFormat ids, SharedTopics shared, List<Finding> findings)
{
    private const string Organization = TemplateText.OrganizationPlaceholder;

    private const string ReservedTopicsInWords =
        "a session may have AWS's topics of one thing or one client, such as `$aws/things/…`, `$aws/commands/things/…` "
        + "or `$aws/events/presence/connected/…`, and `$aws/rules/NAME/…` and, for iot:Subscribe and iot:Receive only, `$share/GROUP/…`; "
        + "docs/session-policies.md lists them";

    /// <summary>The resource if it is valid by itself; null with at least one finding if it is not, and null for a shared topic.</summary>
    public IotResource? Read(string where, TemplateText text, IReadOnlyList<IotAction> actions)
    {
        where = $"{where} `{text.Source}`";
        var before = findings.Count;
        if (IotArn.Parse(text.Source, out var problem) is not { } arn)
        {
            Report(FindingCode.ArnShape, where, problem);
            if (!text.NamesOrganization)
                FindNoOrganization(where, null, actions);
            return null;
        }

        if (shared.Contains(arn))
        {
            CheckShared(where, arn, actions);
            return null;
        }

        var index = arn.Name.IndexOf(Organization, StringComparison.Ordinal);
        if (index < 0)
        {
            FindNoOrganization(where, arn, actions);
            return null;
        }

        var action = actions.Concat(IotAction.All).First(action => action.Type == arn.Type);
        var resource = new IotResource(where, text.Source, arn.Type, arn.Name[..index], arn.Name[(index + Organization.Length)..], action);
        resource = CheckReserved(resource, actions);
        CheckStreams(resource, actions);
        resource = CheckHead(resource);
        CheckCloser(resource);
        CheckTail(resource);
        CheckThingName(resource);
        return findings.Skip(before).All(static finding => finding.Severity == Severity.Warning) ? resource : null;
    }

    private void CheckShared(string where, IotArn arn, IReadOnlyList<IotAction> actions)
    {
        foreach (var action in actions.Where(action => action.Type == arn.Type && !action.ReadsTopics))
            Report(FindingCode.SharedTopicPublished, where,
                $"is a shared topic, and its statement allows {action.Name}; write a statement of its own for it, with iot:Receive or iot:Subscribe.");
        if (arn.Type == IotResourceType.Topic && arn.Name.AsSpan().IndexOfAny('+', '#') >= 0)
            FindFilterInTopic(where);
    }

    private IotResource CheckHead(IotResource resource)
    {
        if (resource.Head.Contains('{'))
            FindPlaceholder(resource, "before");
        // A slash ends a thing's name. The text after it names a shadow, whose topics have the slash elsewhere.
        if (resource.Type == IotResourceType.Thing && resource.Head.Contains('/'))
            Report(FindingCode.ArnShape, resource.Where, $"has `/` before {Organization}; the name of a thing holds none.");
        var wildcard = resource.Head.AsSpan().IndexOfAny(IotResource.Wildcards);
        if (wildcard < 0)
            return resource;
        if (WhyNotFromRight(resource) is not { } why)
            return resource with { IsFromRight = true };
        var example = Counterexample.Within(resource, ids);
        var verdict = example is null ? ". It may be safe, but cannot be proven here" : Counterexample.Spell(resource, resource, example);
        Report(FindingCode.WildcardBeforeOrganization, resource.Where,
            $"has `{resource.Head[wildcard]}` before {Organization}, {why}{verdict}. {RemedyOfWildcard(resource)}",
            example);
        return resource;
    }

    // The name of a thing, and what follows `$`, is read from its beginning only.
    private static string RemedyOfWildcard(IotResource resource) =>
        resource.Type == IotResourceType.Thing || resource.Fixed.Length > 0 || resource.Head[0] == '$'
            ? "Write literals there."
            : $"Write literals there; or begin with a literal, and put {Organization} last, behind a literal that no id holds, such as `/`.";

    /// <summary>The reason why the id cannot be read from the end of the text; null if it can.</summary>
    private string? WhyNotFromRight(IotResource resource)
    {
        var (head, isFilter) = (resource.Head, resource.Type == IotResourceType.TopicFilter);
        if (resource.Type == IotResourceType.Thing || resource.Fixed.Length > 0)
            return "where a name begins that is read from its beginning";
        if (head[0] == '$')
            return "in a topic that begins with `$`";
        if (!resource.IsClient && head.AsSpan().IndexOfAny(IotResource.Wildcards) == 0)
            return "at the very beginning, so that it covers AWS's own topics (`$aws/…`) too";
        if (head.Contains('#') || (head.Contains('+') && (!isFilter || !IsGrammatical(head + Organization))))
            return "where it is no wildcard of the kind that can stand there";
        if (!IotResource.IsLiteral(resource.Tail))
            return "and more than literals behind it, so that an id can be read in more than one place";
        return ids.HasOneLength || !ids.MayHold(head[^1]) && !IotResource.Wildcards.Contains(head[^1])
            ? null
            : $"and `{head[^1]}` directly before it, where an id can have begun earlier";
    }

    private void CheckCloser(IotResource resource)
    {
        if (resource.Tail.Length == 0 || resource.IsFromRight || ids.HasOneLength)
            return;
        var closer = resource.Tail[0];
        if (!ids.Contains(closer) && closer is not ('*' or '?' or '+' or '#' or '{'))
            return;
        var example = Counterexample.Within(resource, ids);
        var what = closer == '{' ? "a placeholder" : $"`{closer}`";
        Report(FindingCode.NotClosed, resource.Where,
            $"has {what} right after {Organization}, where one id can go on as another{Counterexample.Spell(resource, resource, example)}; "
            + (resource.Space == IotSpace.Things
                ? "write `:` there, or another character that a thing's name may hold and no id does. Behind `/` or nothing, the id is the thing's whole name. "
                : "write a literal there that no id holds, such as `/` or `:`, or nothing. ")
            + "If all ids have one length, set OrganizationId:Length with Min and Max alike: then anything may stand there.",
            example);
    }

    private void CheckTail(IotResource resource)
    {
        if (resource.Tail.Replace(Organization, "", StringComparison.Ordinal).Contains('{'))
            FindPlaceholder(resource, "after");
        if (resource.Tail.AsSpan().IndexOfAny('+', '#') < 0)
            return;
        if (resource.Type != IotResourceType.TopicFilter)
            FindFilterInTopic(resource.Where);
        // The id is part of the first level.
        else if (!IsGrammatical(Organization + resource.Tail))
            Report(FindingCode.FilterGrammar, resource.Where,
                "has `+` or `#` in a place that MQTT has none: each is a whole level, and `#` is the last.");
    }

    /// <summary>CreateThing: a thing's name has only these characters. A resource with another one in it allows nothing, which breaks no isolation.</summary>
    private void CheckThingName(IotResource resource)
    {
        if (resource.Space != IotSpace.Things) return;
        var name = $"{resource.Head}{resource.Tail.Replace(Organization, "", StringComparison.Ordinal)}".Split('/')[0];
        // Wildcards and placeholders have rules of their own.
        if (name.FirstOrDefault(static character => !char.IsAsciiLetterOrDigit(character) && !":_-*?+#{}".Contains(character)) is not '\0' and var other)
            Warn(FindingCode.Inert, resource.Where, $"allows nothing: no thing's name holds `{other}`.");
    }

    /// <summary>MQTT 3.1.1, 4.7.1: each wildcard is a whole level, and # is the last.</summary>
    internal static bool IsGrammatical(string filter)
    {
        var levels = filter.Split('/');
        return !levels.Where((level, i) => level.AsSpan().IndexOfAny('+', '#') >= 0 && level != "+" && !(level == "#" && i == levels.Length - 1)).Any();
    }

    private IotResource CheckReserved(IotResource resource, IReadOnlyList<IotAction> actions)
    {
        var dollar = resource.Head.LastIndexOf('$');
        var isOfThing = resource.Type == IotResourceType.Thing || resource.Head.StartsWith(ReservedTopics.ThingStart, StringComparison.Ordinal);
        if (dollar > 0 || (resource.Tail.Contains('$') && !isOfThing))
        {
            Report(FindingCode.ReservedTopic, resource.Where,
                "has `$` inside; it may only begin a topic that AWS reserves, `$share/GROUP/…`, or the name of a thing's shadow.");
            return resource;
        }

        if (dollar < 0)
            return resource;
        var isTopic = resource.Type is IotResourceType.Topic or IotResourceType.TopicFilter;
        if (isTopic && ReservedTopics.StartOf(resource.Head) is { } topics)
        {
            var cut = resource with { Space = topics.Of, Fixed = topics.Start, Head = resource.Head[topics.Start.Length..] };
            if (topics.NameIsLevel && cut.Head.Contains('/'))
                Report(FindingCode.ReservedTopic, resource.Where,
                    $"has {Organization} behind the name that follows `{topics.Start}`, "
                    + "so that all organizations share what has that name; write it into the name.");
            return cut;
        }

        if (isTopic && Follows(resource, "$aws/rules/") is { } rule)
        {
            // A rule's name does not separate organizations: the messages that the rule receives would still have to be told apart.
            RequireLevel(resource, rule, FindingCode.OrganizationIsRuleName,
                $"has {Organization} in a rule's name, which keeps nobody out of anything; write $aws/rules/NAME/…{Organization}…");
            // The rule gets the message with the topic behind its name, as if it had been published there. Anything but literals is not cut off, and refused
            // because it begins with `$`.
            var end = rule.IndexOf('/', StringComparison.Ordinal);
            return end >= 0 && IotResource.IsLiteral(rule) ? resource with { Head = rule[(end + 1)..] } : resource;
        }

        if (MayBeOfShareGroup(resource, actions) && Follows(resource, "$share/") is { } group)
        {
            RequireLevel(resource, group, FindingCode.OrganizationIsShareGroup,
                $"has {Organization} in a share group's name, and the filter behind it can be any; write $share/GROUP/…{Organization}…");
            // IAM's wildcards cover `/` as well, so a group that is not literal can hold the head of another filter. It is not cut off, and is checked with the
            // rest.
            var end = group.IndexOf('/', StringComparison.Ordinal);
            return end >= 0 && IotResource.IsLiteral(group[..end]) ? resource with { Head = group[(end + 1)..] } : resource;
        }

        Report(FindingCode.ReservedTopic, resource.Where,
            $"begins with `$`. {char.ToUpperInvariant(ReservedTopicsInWords[0])}{ReservedTopicsInWords[1..]}.");
        return resource;
    }

    /// <summary>
    /// Refuses requests for streams (MQTT-based file delivery), and warns of wildcards that reach them. A stream is the account's: a session that may publish a
    /// request behind the name of its own thing gets the files of every stream that it can name.
    /// </summary>
    private void CheckStreams(IotResource resource, IReadOnlyList<IotAction> actions)
    {
        if (resource.Type != IotResourceType.Topic || resource.Fixed != ReservedTopics.ThingStart
            || !actions.Any(static action => action.Type == IotResourceType.Topic && !action.ReadsTopics)
            // The stream's name begins with the organization. A request ends two levels behind it, so `/streams/` stands nowhere else.
            || resource.Head.EndsWith("/streams/", StringComparison.Ordinal) || NamesOwnStream(resource.Tail))
            return;
        // The id is taken for any text.
        var reached = $"{resource.Head}*{resource.Tail.Replace(Organization, "*", StringComparison.Ordinal)}";
        if (!ReservedTopics.RequestsStream(reached)) return;
        const string Problem = "lets its statement ask for files at `$aws/things/THING/streams/STREAM/get/…`. A stream belongs to the account and not to the "
            + "thing, so every organization could read it; write the other topics that are needed, such as `…/shadow/*` and `…/jobs/*`, and "
            + "`…/streams/{organizationId}-*` for streams that are named after their organization.";
        if (resource.Tail.Contains("/streams/", StringComparison.Ordinal)) Report(FindingCode.ReservedTopic, resource.Where, Problem);
        else Warn(FindingCode.ReservedTopic, resource.Where, Problem);
    }

    private bool NamesOwnStream(string tail)
    {
        const string Own = $"/streams/{Organization}";
        var index = tail.IndexOf(Own, StringComparison.Ordinal);
        return index >= 0 && tail.Length > index + Own.Length && tail[index + Own.Length] is var closer
            && !ids.Contains(closer) && closer is not ('*' or '?' or '{');
    }

    // IAM asks for iot:Receive with the group before the topic too. No other action on a topic has to do with a group.
    private static bool MayBeOfShareGroup(IotResource resource, IReadOnlyList<IotAction> actions) =>
        resource.Type == IotResourceType.TopicFilter
        || (resource.Type == IotResourceType.Topic
            && actions.Where(static action => action.Type == IotResourceType.Topic).All(static action => action.Name == "iot:Receive"));

    private static string? Follows(IotResource resource, string start) =>
        resource.Head.StartsWith(start, StringComparison.Ordinal) ? resource.Head[start.Length..] : null;

    private void RequireLevel(IotResource resource, string rest, string code, string message)
    {
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            Report(code, resource.Where, message);
        else if (slash == 0)
            Report(FindingCode.ReservedTopic, resource.Where, "has an empty name after `$aws/rules/` or `$share/`.");
    }

    private void FindNoOrganization(string where, IotArn? arn, IReadOnlyList<IotAction> actions)
    {
        var isTopic = arn?.Type is IotResourceType.Topic or IotResourceType.TopicFilter;
        var remedy = isTopic && arn!.Name.StartsWith('$')
            ? $". It begins with `$`: {ReservedTopicsInWords}."
            : isTopic && arn!.Name.Length > 0 && !IotResource.Wildcards.Contains(arn.Name[0]) && actions.Any(static action => action.ReadsTopics)
                ? $"; write {Organization} into it, or list it under the profile's SharedTopics if every organization may receive it and none publish to it."
                : $"; write {Organization} into it.";
        Report(FindingCode.NoOrganization, where, $"names no organization, so that all of them share it{remedy}");
    }

    private void FindFilterInTopic(string where) =>
        Report(FindingCode.FilterGrammar, where,
            "has `+` or `#`, which IAM takes for themselves; they are wildcards only in a topicfilter, for IAM write `*`.");

    private void FindPlaceholder(IotResource resource, string side) =>
        Report(FindingCode.PlaceholderInResource, resource.Where,
            $"has a placeholder {side} {Organization} that is not decided until it is rendered; write its value.");

    private void Warn(string code, string where, string message) =>
        findings.Add(Finding.Of(code, $"{where} {message}") with { Severity = Severity.Warning });

    private void Report(string code, string where, string message, PolicyCounterexample? example = null) =>
        findings.Add(Finding.Of(code, $"{where} {message}", example));
}
