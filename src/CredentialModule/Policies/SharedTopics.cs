namespace IotCredentials.Policies;

/// <summary>The topics of a profile that every organization may receive and none may publish to.</summary>
internal sealed class SharedTopics
{
    private readonly List<Topic> _topics = [];

    /// <summary>No shared topics.</summary>
    public static SharedTopics None { get; } = new();

    public IReadOnlyList<Topic> All => _topics;

    /// <summary>The topics of several profiles.</summary>
    public static SharedTopics Of(IEnumerable<SharedTopics> lists)
    {
        var union = new SharedTopics();
        union._topics.AddRange(lists.SelectMany(static list => list._topics).Distinct());
        return union;
    }

    /// <summary>A text that begins topics that an entry reaches.</summary>
    /// <param name="Text">The text.</param>
    /// <param name="GoesOn">Whether anything may follow the text; else it is a whole topic.</param>
    internal readonly record struct Beginning(string Text, bool GoesOn);

    /// <summary>An entry of the list. It stands for a topic and a topicfilter alike.</summary>
    /// <param name="Source">The entry as it is written.</param>
    /// <param name="Arn">The entry, split into parts.</param>
    internal sealed record Topic(string Source, IotArn Arn)
    {
        /// <summary>The beginnings of all topics that the entry reaches, as a topic or as a filter.</summary>
        public IEnumerable<Beginning> Beginnings
        {
            get
            {
                var wildcard = Arn.Name.AsSpan().IndexOfAny(IotResource.Wildcards);
                if (wildcard < 0)
                {
                    yield return new Beginning(Arn.Name, GoesOn: false);
                    yield break;
                }

                yield return new Beginning(Arn.Name[..wildcard], GoesOn: true);
                // MQTT: x/# also matches x.
                if (wildcard > 1 && Arn.Name[wildcard - 1] == '/')
                    yield return new Beginning(Arn.Name[..(wildcard - 1)], GoesOn: false);
            }
        }
    }

    /// <summary>Reads the list. A finding's message begins where a caller's "where" ends; it is reported with the entry's index.</summary>
    public static SharedTopics Read(IReadOnlyList<string> entries, Action<int, Finding> report)
    {
        var shared = new SharedTopics();
        for (var i = 0; i < entries.Count; i++)
        {
            if (ReadOne(entries[i], out var finding) is { } topic)
                shared._topics.Add(topic);
            else
                report(i, finding!);
        }

        return shared;
    }

    /// <summary>Whether the resource is listed, by itself or as the other of the two types.</summary>
    public bool Contains(IotArn arn) =>
        arn.Type is IotResourceType.Topic or IotResourceType.TopicFilter
        && _topics.Exists(topic => topic.Arn.Before == arn.Before && topic.Arn.Name == arn.Name);

    private static Topic? ReadOne(string? entry, out Finding? finding)
    {
        if (!TemplateText.TryParse(entry ?? "", Placeholders.All, out var text, out finding))
            return null;
        if (IotArn.Parse(text.Source, out var problem) is not { } arn)
            finding = Finding.Of(FindingCode.ArnShape, problem);
        else if (arn.Type is not (IotResourceType.Topic or IotResourceType.TopicFilter))
            finding = Finding.Of(FindingCode.SharedTopic, "is no topic: only a topic or a topicfilter is shared.");
        else if (text.NamesOrganization)
            finding = Finding.Of(
                FindingCode.SharedTopic, $"names an organization; a topic with {TemplateText.OrganizationPlaceholder} in it is not shared. Remove the entry.");
        else if (arn.Name.Contains('{'))
            finding = Finding.Of(
                FindingCode.PlaceholderInResource, "has a placeholder in the topic, which is not decided until it is rendered; write its value.");
        else if (arn.Name.Length == 0 || arn.Name[0] is '$' or '*' or '?' or '+' or '#')
            finding = Finding.Of(FindingCode.SharedTopic,
                "begins with `$` or a wildcard, or is empty, so that it covers AWS's own topics, or every organization's; begin it with a literal.");
        else if (arn.Name.Contains('$'))
            finding = Finding.Of(FindingCode.ReservedTopic, "has `$` inside; it may only begin a topic that AWS reserves.");
        else if (arn.Name.AsSpan().IndexOfAny('+', '#') >= 0 && (arn.Type == IotResourceType.Topic || !IotResourceReader.IsGrammatical(arn.Name)))
            finding = Finding.Of(
                FindingCode.FilterGrammar, "has `+` or `#` in a place that MQTT has none: each is a whole level of a topicfilter, and `#` is the last.");
        else
            return new Topic(text.Source, arn);
        return null;
    }
}
