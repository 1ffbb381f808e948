namespace Gateway.Commands.Doctor;

/// <summary>
/// The client ids, topics, filters and things that a trial of isolation uses, from the resources of two session policies. Names hold a random mark wherever
/// the policy leaves a choice, so that no device uses them.
/// </summary>
/// <param name="own">The policy of the organization that tries.</param>
/// <param name="other">The policy of the organization that it must not reach.</param>
/// <param name="shared">The names of topics and filters that every organization may receive, on purpose.</param>
/// <param name="mark">The random mark.</param>
internal sealed class IsolationNames(GrantedResources own, GrantedResources other, IReadOnlyList<string> shared, string mark)
{
    public const string Connect = "iot:Connect";
    public const string Publish = "iot:Publish";
    public const string RetainPublish = "iot:RetainPublish";
    public const string Subscribe = "iot:Subscribe";
    public const string Receive = "iot:Receive";
    public const string GetRetained = "iot:GetRetainedMessage";

    public const string ListShadows = "iot:ListNamedShadowsForThing";

    public const string Client = "client";
    public const string Topic = "topic";
    public const string Filter = "topicfilter";
    public const string Thing = "thing";

    private const string Things = "$aws/things/";
    private const string Rules = "$aws/rules/";
    private const string Share = "$share/";

    private static readonly string[] s_thingActions = ["iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow", ListShadows];

    // A resource of another type grants nothing by these actions.
    private static readonly (string Action, string Type)[] s_tried =
    [
        (Connect, Client), (Publish, Topic), (RetainPublish, Topic), (GetRetained, Topic), (Subscribe, Filter),
        .. s_thingActions.Select(static each => (each, Thing)),
    ];

    /// <summary>The resources of a type for which the organization may use an action.</summary>
    public IReadOnlyList<string> Own(string action, string type) => NamesOf(own, action, type);

    /// <summary>The topics that the other organization may publish to; those that the first one's filters may match come first.</summary>
    public IReadOnlyList<string> TopicsOfOther()
    {
        var published = other.PatternsOf(Publish, Topic);
        var matched = own.PatternsOf(Subscribe, Filter).SelectMany(filter => Meeting(AsTopic(filter), published));
        return [.. matched.Concat(NamesOf(other, Publish, Topic)).Where(IsForClients).Where(topic => other.Allows(Publish, topic)).Distinct()];
    }

    /// <summary>The client ids of the other organization.</summary>
    public IReadOnlyList<string> ForeignClients()
    {
        var theirs = other.PatternsOf(Connect, Client);
        return [.. NamesOf(other, Connect, Client).Concat(own.PatternsOf(Connect, Client).SelectMany(each => Meeting(each, theirs))).Distinct()];
    }

    /// <summary>The topics that the other organization uses. A rule of AWS IoT hands a message on with its topic behind the rule's name.</summary>
    public IReadOnlyList<string> ForeignTopics(string action)
    {
        var theirs = PatternsOfOther(includesShared: true);
        List<string> targets = [.. theirs, .. Behind(Rules, action, Topic, theirs), .. ShadowsOfOther(Topic, "get", "update", "delete")];
        return
        [
            .. theirs.SelectMany(topic => Forms(topic, Topic))
                .Concat(own.PatternsOf(action, Topic).SelectMany(each => Meeting(each, targets))
                    .Where(topic => IsForClients(topic) || IsOfRule(topic) || IsHarmlessRequest(topic)))
                .Distinct(),
        ];
    }

    /// <summary>The topics of the other organization that may be read by its own clients alone.</summary>
    public IReadOnlyList<string> SecretTopics(string action)
    {
        var theirs = PatternsOfOther(includesShared: false).Where(IsForClients).ToList();
        return
        [
            .. theirs.Select(topic => ResourcePattern.Fill(topic, mark))
                .Concat(own.PatternsOf(action, Topic).SelectMany(each => Meeting(each, theirs))).Distinct(),
        ];
    }

    /// <summary>The filters that match topics of the other organization which its own clients alone may read.</summary>
    public IReadOnlyList<string> ForeignFilters()
    {
        var theirs = PatternsOfOther(includesShared: false).Select(AsFilter).ToList();
        return
        [
            .. theirs.SelectMany(filter => Forms(filter, Filter))
                .Concat(own.PatternsOf(Subscribe, Filter).SelectMany(each => Meeting(each, [.. theirs.Where(IsForClients)])).Where(IsForClients))
                .Concat(own.PatternsOf(Subscribe, Filter).SelectMany(each => Meeting(each, [.. ThingsOfOther(filled: true).Select(ReservedFilter)])))
                .Distinct(),
        ];
    }

    /// <summary>Shared subscriptions to topics of the other organization: through a group of any name, and through those that the policy names.</summary>
    public IReadOnlyList<string> ForeignSharedFilters()
    {
        var theirs = Behind(Share, Subscribe, Filter, PatternsOfOther(includesShared: false)).ToList();
        return
        [
            .. theirs.Select(filter => ResourcePattern.Fill(filter, mark))
                .Concat(own.PatternsOf(Subscribe, Filter).SelectMany(each => Meeting(each, theirs)).Where(IsShared))
                .Distinct(),
        ];
    }

    /// <summary>The classic and the named shadows of the other organization's things.</summary>
    public IReadOnlyList<string> ForeignThings(string action)
    {
        var theirs = ThingsOfOther(filled: false);
        return
        [
            .. theirs.SelectMany(thing => Forms(thing, Thing))
                .Concat(own.PatternsOf(action, Thing).SelectMany(each => Meeting(each, theirs)).Where(static thing => thing.Count(static c => c == '/') <= 2))
                .Distinct(),
        ];
    }

    /// <summary>What the policy grants and the trial has not tried: by an action that has no trial, or because no name could be used safely.</summary>
    /// <param name="tried">The actions and resources that were tried.</param>
    /// <param name="foreign">Those of them that must be refused.</param>
    public IReadOnlyList<(string Action, string Resource)> NotTried(
        IReadOnlyCollection<(string Action, string Resource)> tried, IReadOnlyCollection<(string Action, string Resource)> foreign)
    {
        // A message is received only through a subscription, and each of these is tried.
        var untried = own.Beyond([.. s_tried.Select(static each => each.Action), Receive]).ToList();
        foreach (var (action, type) in s_tried)
        {
            var targets = TargetsOf(action, type);
            untried.AddRange(own.PatternsOf(action, type)
                .Where(pattern => !Covered(tried, pattern).Any()
                    || targets.Any(target => ResourcePattern.Meet(pattern, target, mark) is not null
                        && !Covered(foreign, pattern).Any(name => ResourcePattern.Covers(target, name))))
                .Select(pattern => (action, pattern)));

            IEnumerable<string> Covered(IReadOnlyCollection<(string Action, string Resource)> names, string pattern) =>
                names.Where(name => name.Action == action && ResourcePattern.Covers(pattern, name.Resource)).Select(static name => name.Resource);
        }

        return [.. untried.Distinct()];
    }

    public static bool IsShared(string resource) =>
        resource.AsSpan(resource.IndexOf('/', StringComparison.Ordinal) + 1).StartsWith(Share, StringComparison.Ordinal);

    /// <summary>Whether a topic or a filter is none of AWS's own.</summary>
    public static bool IsForClients(string resource) => resource[resource.IndexOf('/', StringComparison.Ordinal) + 1] != '$';

    /// <summary>The widest filter that a pattern of filters covers and that is made of whole levels.</summary>
    public string Widest(string pattern)
    {
        var levels = pattern.Split('/');
        return string.Join('/', levels.Select((level, index) =>
            level != "*" ? ResourcePattern.Fill(level, mark) : index == levels.Length - 1 ? "#" : "+"));
    }

    private static bool IsOfRule(string topic) => topic.StartsWith($"{Topic}/{Rules}", StringComparison.Ordinal);

    private IReadOnlyList<string> NamesOf(GrantedResources policy, string action, string type) =>
        [.. policy.PatternsOf(action, type).SelectMany(pattern => Forms(pattern, type)).Where(name => policy.Allows(action, name)).Distinct()];

    // The resources of the other organization that an action could reach.
    private IReadOnlyList<string> TargetsOf(string action, string type) => type switch
    {
        Client => other.PatternsOf(Connect, Client),
        Thing => ThingsOfOther(filled: false),
        Filter =>
        [
            .. PatternsOfOther(includesShared: false).Select(AsFilter),
            .. Behind(Share, Subscribe, Filter, PatternsOfOther(includesShared: false)),
            .. ThingsOfOther(filled: false).Select(ReservedFilter),
        ],
        _ =>
        [
            .. PatternsOfOther(includesShared: action != GetRetained),
            .. Behind(Rules, action, Topic, PatternsOfOther(includesShared: true)),
            .. ThingsOfOther(filled: false).Select(thing => $"{Topic}/{Things}{NameOf(thing)}/*"),
        ],
    };

    // The things of the other organization: its shadows, and the things whose topics it uses. Filled, each name that can be random is.
    private List<string> ThingsOfOther(bool filled)
    {
        var things = PatternsOfOther(includesShared: true).Select(static topic => topic[(Topic.Length + 1)..])
            .Where(static topic => topic.StartsWith(Things, StringComparison.Ordinal))
            .Select(static topic => $"{Thing}/{topic[Things.Length..].Split('/')[0]}")
            .Concat(s_thingActions.SelectMany(each => other.PatternsOf(each, Thing)))
            .Distinct();
        return [.. filled ? things.SelectMany(thing => new[] { ResourcePattern.Fill(thing, mark), thing }).Distinct() : things];
    }

    private IEnumerable<string> ShadowsOfOther(string type, params string[] operations) =>
        from thing in ThingsOfOther(filled: true)
        from shadow in new[] { "shadow", $"shadow/name/{mark}", "shadow/name/*" }
        from operation in operations
        select $"{type}/{Things}{NameOf(thing)}/{shadow}/{operation}";

    // A shadow ignores a message that is no JSON, except to delete it. A thing with a random name has no shadow.
    private bool IsHarmlessRequest(string topic) => topic.Split('/') is [Topic, "$aws", "things", { Length: > 0 } thing, "shadow", .. var rest]
        && rest is ([_] or ["name", { Length: > 0 }, _])
        && (rest[^1] is "get" or "update" || (rest[^1] == "delete" && thing.Contains(mark, StringComparison.Ordinal)));

    private static string NameOf(string resource) => resource.Split('/')[1];

    private static string ReservedFilter(string thing) => $"{Filter}/{Things}{NameOf(thing)}/*";

    private static string AsFilter(string topic) => $"{Filter}/{topic[(Topic.Length + 1)..]}";

    // Every topic that the other organization's policy names.
    private List<string> PatternsOfOther(bool includesShared)
    {
        var written = new[] { Publish, RetainPublish }.SelectMany(action => other.PatternsOf(action, Topic)).ToHashSet(StringComparer.Ordinal);
        var read = new[] { Receive, GetRetained }.SelectMany(action => other.PatternsOf(action, Topic))
            .Concat(other.PatternsOf(Subscribe, Filter))
            .Where(static each => !IsShared(each))
            .Where(each => includesShared || !shared.Contains(each[(each.IndexOf('/', StringComparison.Ordinal) + 1)..]))
            .Select(static each => each.StartsWith($"{Filter}/", StringComparison.Ordinal) ? AsTopic(each) : each);
        return [.. written.Concat(read).Distinct()];
    }

    // Topics behind the name of a rule or of a group, which is one level: the marked one, and those that the policy names.
    private IEnumerable<string> Behind(string prefix, string action, string type, IReadOnlyList<string> topics)
    {
        var names = own.PatternsOf(action, type).Where(pattern => pattern.StartsWith($"{type}/{prefix}", StringComparison.Ordinal))
            .Select(pattern => ResourcePattern.Fill(pattern[(type.Length + 1 + prefix.Length)..].Split('/')[0], mark));
        return names.Append(mark).Distinct()
            .SelectMany(name => topics.Where(IsForClients).Select(topic => $"{type}/{prefix}{name}/{topic[(Topic.Length + 1)..]}"));
    }

    private static string AsTopic(string filter) => $"{Topic}/{filter[(Filter.Length + 1)..].Replace('+', '*').Replace('#', '*')}";

    private IEnumerable<string> Meeting(string pattern, IReadOnlyList<string> others) =>
        others.Select(each => ResourcePattern.Meet(pattern, each, mark)).OfType<string>();

    // Of AWS's own topics, only some have a meaning: requests to the classic and to a named shadow, and messages for rules. Any filter may be subscribed to.
    private IEnumerable<string> Forms(string pattern, string type)
    {
        var rest = ResourcePattern.Fill(pattern[(type.Length + 1)..], mark);
        string[] forms = rest.Split('/') switch
        {
            ["$aws", "things", var thing, ..] when type == Topic => [.. RequestsTo(thing, "get"), .. RequestsTo(thing, "update")],
            ["$aws", "things", var thing, "shadow", ..] => RequestsTo(thing, "get/accepted"),
            ["$aws", "things", var thing, ..] => [.. RequestsTo(thing, "get/accepted"), Whole()],
            ["$aws", "rules", ..] when type == Topic => [$"{Topic}/{rest}"],
            ["$aws", ..] => [],
            [var thing] when type == Thing => [$"{Thing}/{thing}", $"{Thing}/{thing}/{mark}"],
            _ => [$"{type}/{rest}"],
        };
        return forms.Where(name => ResourcePattern.Covers(pattern, name));

        // A filter can take all that follows.
        string Whole() => pattern.EndsWith("/*", StringComparison.Ordinal) ? $"{ResourcePattern.Fill(pattern[..^1], mark)}#" : $"{type}/{rest}";

        string[] RequestsTo(string thing, string operation) =>
            [$"{type}/{Things}{thing}/shadow/{operation}", $"{type}/{Things}{thing}/shadow/name/{mark}/{operation}"];
    }
}
