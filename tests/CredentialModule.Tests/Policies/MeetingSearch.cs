namespace IotCredentials.Tests.Policies;

/// <summary>What the holders of two policies both reach.</summary>
/// <param name="Kind"><c>client id</c>, <c>topic</c>, <c>thing</c> or <c>client</c>; the last two by topics of different kinds.</param>
/// <param name="Name">Its name.</param>
internal sealed record Meeting(string Kind, string Name);

/// <summary>
/// Decides whether two resources reach a common client id, topic, thing or client, by walking through both at once, a character at a time. All that can
/// follow is looked at, so that "none" is an answer and not a search that was given up.
/// </summary>
internal static class MeetingSearch
{
    /// <summary>Something that the holders of both policies reach; null when there is nothing.</summary>
    public static Meeting? Find(IReadOnlyList<Reach.Resource> one, IReadOnlyList<Reach.Resource> other) =>
        (from left in one from right in other select Find(left, right)).FirstOrDefault(meeting => meeting is not null);

    /// <summary>Something that both reach; null when there is nothing.</summary>
    public static Meeting? Find(Reach.Resource one, Reach.Resource other)
    {
        if (!CanAgree(Beginning(one, other), Beginning(other, one)))
            return null;
        if (one.IsClient && other.IsClient)
            return Search(one, other, Walker.OfClientId(one), Walker.OfClientId(other), "") is { } id ? new Meeting("client id", id) : null;
        if (Search(one, other, Walker.Of(one), Walker.Of(other), "+#") is { } topic)
            return new Meeting("topic", topic);
        return FindOwner(one, other, "thing", "/+#", [.. Reach.ThingTopics.Select(start => (start, true))])
            ?? FindOwner(one, other, "client", "+#", [.. Reach.ClientTopics.Select(start => (start, false)), (Reach.ClientCommands, true)]);
    }

    /// <summary>A thing or a client of which each reaches a topic, in different kinds of them: a session that has one must not have the other.</summary>
    private static Meeting? FindOwner(Reach.Resource one, Reach.Resource other, string kind, string never, IReadOnlyList<(string Start, bool GoesOn)> topics)
    {
        if (!IsReserved(one) || !IsReserved(other))
            return null;
        var (lefts, rights) = (WalkersOf(one), WalkersOf(other));
        var found =
            from left in lefts
            from right in rights
            where left.Start != right.Start
            select Search(one, other, left.Walker, right.Walker, never) into name
            where name is not null
            select new Meeting(kind, name);
        return found.FirstOrDefault();

        List<(string Start, Walker Walker)> WalkersOf(Reach.Resource resource) =>
        [
            .. topics.Where(topic => CanAgree(topic.Start, Literal(resource)))
                .Select(topic => (topic.Start, Walker: Walker.OfName(resource, topic.Start, topic.GoesOn))).Where(walker => walker.Walker.Start.Count > 0),
        ];
    }

    /// <summary>What every name begins with that the resource reaches of what it is compared in. It only saves walks that would end there.</summary>
    private static string Beginning(Reach.Resource resource, Reach.Resource other) => resource.Type switch
    {
        "client" when !other.IsClient => "$aws/",
        "thing" => "$aws/",
        // x/# matches x, and a share group stands before the filter.
        "topicfilter" => resource.Pattern.StartsWith('$') ? "" : Literal(resource).TrimEnd('/'),
        // A share group or a rule stands before the topic.
        "topic" when Reach.Named.Any(start => CanAgree(start, Literal(resource))) => "",
        // Topics of different kinds can be about one owner.
        _ when resource.Pattern.StartsWith("$aws/", StringComparison.Ordinal) => "$aws/",
        _ => Literal(resource),
    };

    private static string Literal(Reach.Resource resource) =>
        resource.Pattern.AsSpan().IndexOfAny("*?+#") is var end and >= 0 ? resource.Pattern[..end] : resource.Pattern;

    private static bool CanAgree(string one, string other)
    {
        var length = Math.Min(one.Length, other.Length);
        return one.AsSpan(0, length).SequenceEqual(other.AsSpan(0, length));
    }

    private static bool IsReserved(Reach.Resource resource) =>
        resource.Type is "topic" or "topicfilter" && resource.Pattern.Length > 0 && resource.Pattern[0] is '$' or '*' or '?';

    private static string? Search(Reach.Resource one, Reach.Resource other, Walker left, Walker right, string never)
    {
        // Characters that neither pattern writes are all alike: one stands for them. Fixed texts are forced.
        var letters = (one.Pattern + other.Pattern + "$/~").Distinct().Where(letter => letter is not ('*' or '?') && !never.Contains(letter)).ToArray();
        var seen = new HashSet<(Walker.State, Walker.State, bool IsStart)>();
        var queue = new Queue<(Walker.State Left, Walker.State Right, Path? Read)>();
        Enqueue(left.Start, right.Start, null);
        while (queue.TryDequeue(out var at))
        {
            if (at.Read is not null && left.IsEnd(at.Left) && right.IsEnd(at.Right))
                return Path.Spell(at.Read);
            // Where one of them can go on in one way only, no other letter needs trying.
            var forced = left.Forced(at.Left) ?? right.Forced(at.Right);
            foreach (var letter in forced is not { } only ? letters : never.Contains(only) ? [] : [only])
            {
                var next = left.Step(at.Left, letter);
                if (next.Count > 0)
                    Enqueue(next, right.Step(at.Right, letter), new Path(letter, at.Read));
            }
        }

        return null;

        void Enqueue(IReadOnlyCollection<Walker.State> lefts, IReadOnlyCollection<Walker.State> rights, Path? read)
        {
            foreach (var l in lefts)
            {
                foreach (var r in rights)
                {
                    if (seen.Add((l, r, read is null)))
                        queue.Enqueue((l, r, read));
                }
            }
        }
    }

    private sealed record Path(char Letter, Path? Before)
    {
        public static string Spell(Path? path)
        {
            var text = new Stack<char>();
            for (; path is not null; path = path.Before)
                text.Push(path.Letter);
            return string.Concat(text);
        }
    }
}
