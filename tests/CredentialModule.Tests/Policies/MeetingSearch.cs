namespace CredentialModule.Tests.Policies;

/// <summary>
/// Decides whether two resources reach a common client id or topic, by walking through both at once, a character at a time. All that can
/// follow is looked at, so that "none" is an answer and not a search that was given up.
/// </summary>
internal static class MeetingSearch
{
    /// <summary>A name that the holders of both policies reach; null when there is none.</summary>
    public static string? Find(IReadOnlyList<Reach.Resource> one, IReadOnlyList<Reach.Resource> other) =>
        (from left in one from right in other select Find(left, right)).FirstOrDefault(name => name is not null);

    /// <summary>A name that both reach; null when there is none.</summary>
    public static string? Find(Reach.Resource one, Reach.Resource other)
    {
        if (one.IsClient != other.IsClient)
            return null;
        // Characters that neither pattern writes are all alike: one stands for them.
        var letters = (one.Pattern + other.Pattern + "$aws/things/shadow/name/~").Distinct().Where(letter => letter is not ('*' or '?'))
            .Where(letter => one.IsClient || letter is not ('+' or '#')).ToArray();
        var (left, right) = (Walker.Of(one), Walker.Of(other));
        var seen = new HashSet<(Walker.State, Walker.State)>();
        var queue = new Queue<(Walker.State Left, Walker.State Right, Path? Read)>();
        Enqueue(left.Start, right.Start, null);
        while (queue.TryDequeue(out var at))
        {
            if (at.Read is not null && left.IsEnd(at.Left) && right.IsEnd(at.Right))
                return Path.Spell(at.Read);
            // Where one of them can go on in one way only, no other letter needs trying.
            var forced = left.Forced(at.Left) ?? right.Forced(at.Right);
            foreach (var letter in forced is null ? letters : letters.Where(letter => letter == forced))
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
                    if (seen.Add((l, r)))
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
