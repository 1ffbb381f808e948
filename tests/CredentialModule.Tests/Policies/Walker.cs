namespace IotCredentials.Tests.Policies;

/// <summary>Walks along a name and knows, after each character, whether the resource reaches what was read so far.</summary>
internal abstract class Walker(string pattern)
{
    /// <summary>A place in IAM's pattern, and what the name's part that is being read stands for.</summary>
    internal readonly record struct State(int Place, Mode Mode);

    internal enum Mode
    {
        Plain,
        FilterStart,
        LevelStart,
        Level,
        PlusStart,
        Plus,
        HashStart,
        Hash,
        Start,
        Thing,
        ThingOnly,
        AfterName,
        Shadow,
        Anything,
        Client,
        ClientGoesOn,
    }

    public abstract IReadOnlyCollection<State> Start { get; }

    public static Walker Of(Reach.Resource resource) => resource.Type switch
    {
        "topicfilter" => new FilterWalker(resource.Pattern),
        "thing" => new ThingWalker(resource.Pattern),
        "client" => new ClientWalker(resource.Pattern),
        _ => new TopicWalker(resource.Pattern),
    };

    /// <summary>Walks along a client id.</summary>
    public static Walker OfClientId(Reach.Resource resource) => new PlainWalker(resource.Pattern);

    /// <summary>Walks along the name of a thing or a client of which the resource reaches a topic that begins so.</summary>
    /// <param name="resource">A topic or a topicfilter.</param>
    /// <param name="start">The topic's beginning.</param>
    /// <param name="goesOn">Whether a slash and more follow the name in the topic.</param>
    public static Walker OfName(Reach.Resource resource, string start, bool goesOn) => new NameWalker(Of(resource), start, goesOn);

    public abstract IReadOnlyCollection<State> Step(State state, char letter);

    public abstract bool IsEnd(State state);

    /// <summary>The only letter that can follow; null when several can, or when that is not looked into.</summary>
    public virtual char? Forced(State state) =>
        state is { Mode: Mode.Plain or Mode.FilterStart or Mode.LevelStart or Mode.Level or Mode.Shadow, Place: var place }
        && place < pattern.Length && pattern[place] is not ('*' or '?')
            ? pattern[place]
            : null;

    /// <summary>The places in the pattern after it has taken in the letter.</summary>
    protected IEnumerable<int> Take(int place, char letter)
    {
        for (; place < pattern.Length; place++)
        {
            if (pattern[place] != '*')
            {
                if (pattern[place] == '?' || pattern[place] == letter)
                    yield return place + 1;
                yield break;
            }

            yield return place;
        }
    }

    protected bool CanEnd(int place) => pattern[place..].All(letter => letter == '*');

    /// <summary>The places in the pattern where the topic or the filter can begin: at once, or behind the name of a share group or of a rule.</summary>
    protected IEnumerable<int> Starts() => Reach.Named.SelectMany(Behind).Prepend(0).Distinct();

    private IEnumerable<int> Behind(string start)
    {
        IEnumerable<int> places = [0];
        foreach (var letter in start)
            places = [.. places.SelectMany(place => Take(place, letter)).Distinct()];
        var inName = new HashSet<int>();
        var open = new Queue<int>(places);
        while (open.TryDequeue(out var place))
        {
            foreach (var next in (pattern + "~").Where(letter => letter is not ('/' or '+' or '#')).SelectMany(letter => Take(place, letter)))
            {
                if (inName.Add(next))
                    open.Enqueue(next);
            }
        }

        return inName.SelectMany(place => Take(place, '/'));
    }

    private sealed class TopicWalker(string pattern) : PlainWalker(pattern)
    {
        public override IReadOnlyCollection<State> Start => [.. Starts().Select(place => new State(place, Mode.Plain))];
    }

    private class PlainWalker(string pattern) : Walker(pattern)
    {
        public override IReadOnlyCollection<State> Start => [new State(0, Mode.Plain)];

        public override IReadOnlyCollection<State> Step(State state, char letter) =>
            [.. Take(state.Place, letter).Select(place => new State(place, Mode.Plain))];

        public override bool IsEnd(State state) => CanEnd(state.Place);
    }

    /// <summary>Reads a topic while the pattern reads one of the filters that match it.</summary>
    private sealed class FilterWalker(string pattern) : Walker(pattern)
    {
        public override IReadOnlyCollection<State> Start => [.. Starts().SelectMany(place => Choices(place, Mode.FilterStart))];

        public override IReadOnlyCollection<State> Step(State state, char letter)
        {
            var (place, mode) = state;
            // A wildcard in front never stands for a topic of the server's own.
            if (letter == '$' && mode is (Mode.PlusStart or Mode.HashStart))
                return [];
            return (mode, letter) switch
            {
                (Mode.Hash or Mode.HashStart, _) => [state with { Mode = Mode.Hash }],
                (_, '/') => [.. Take(place, '/').SelectMany(next => Choices(next, Mode.LevelStart))],
                (Mode.Plus or Mode.PlusStart, _) => [state with { Mode = Mode.Plus }],
                _ => [.. Take(place, letter).Select(next => new State(next, Mode.Level))],
            };
        }

        public override bool IsEnd(State state) =>
            state.Mode is Mode.Hash or Mode.HashStart || CanEnd(state.Place) || Take(state.Place, '/').Any(next => Take(next, '#').Any(CanEnd));

        private IEnumerable<State> Choices(int place, Mode literal)
        {
            var isStart = literal == Mode.FilterStart;
            return Take(place, '+').Select(next => new State(next, isStart ? Mode.PlusStart : Mode.Plus))
                .Concat(Take(place, '#').Where(CanEnd).Select(next => new State(next, isStart ? Mode.HashStart : Mode.Hash)))
                .Prepend(new State(place, literal));
        }
    }

    /// <summary>Reads a name while another walker reads a topic with that name in it.</summary>
    private sealed class NameWalker(Walker topics, string start, bool goesOn) : Walker("")
    {
        public override IReadOnlyCollection<State> Start =>
            start.Aggregate(topics.Start, (states, letter) => [.. states.SelectMany(state => topics.Step(state, letter)).Distinct()]);

        public override IReadOnlyCollection<State> Step(State state, char letter) => topics.Step(state, letter);

        public override bool IsEnd(State state) => goesOn ? topics.Step(state, '/').Count > 0 : topics.IsEnd(state);

        public override char? Forced(State state) => null;
    }

    /// <summary>Reads a topic of a thing or a client: fixed texts, then its name.</summary>
    private abstract class OwnerWalker(string pattern, IReadOnlyList<string> starts) : Walker(pattern)
    {
        /// <summary>Which text, and the place in it, are packed into one number.</summary>
        private const int Most = 100;

        public override IReadOnlyCollection<State> Start => [.. starts.Select((_, i) => new State(i * Most, Mode.Start))];

        public override IReadOnlyCollection<State> Step(State state, char letter)
        {
            if (state.Mode != Mode.Start)
                return StepName(state, letter);
            var (which, place) = (state.Place / Most, state.Place % Most);
            if (starts[which][place] != letter)
                return [];
            return [place + 1 == starts[which].Length ? new State(0, NameMode(starts[which])) : new State(state.Place + 1, Mode.Start)];
        }

        public override char? Forced(State state) => state.Mode == Mode.Start ? starts[state.Place / Most][state.Place % Most] : base.Forced(state);

        protected abstract Mode NameMode(string start);

        protected abstract IReadOnlyCollection<State> StepName(State state, char letter);
    }

    /// <summary>Reads a topic of a client while the pattern reads the client's id.</summary>
    private sealed class ClientWalker(string pattern) : OwnerWalker(pattern, [.. Reach.ClientTopics, Reach.ClientCommands])
    {
        public override bool IsEnd(State state) => state.Mode == Mode.Anything || (state.Mode == Mode.Client && CanEnd(state.Place));

        protected override Mode NameMode(string start) => start == Reach.ClientCommands ? Mode.ClientGoesOn : Mode.Client;

        protected override IReadOnlyCollection<State> StepName(State state, char letter)
        {
            if (state.Mode == Mode.Anything)
                return [state];
            var next = Take(state.Place, letter).Select(place => state with { Place = place });
            return state.Mode == Mode.ClientGoesOn && letter == '/' && CanEnd(state.Place) ? [.. next, new State(0, Mode.Anything)] : [.. next];
        }
    }

    /// <summary>Reads a topic of a thing while the pattern reads the thing, or thing and shadow, that it belongs to.</summary>
    private sealed class ThingWalker(string pattern) : OwnerWalker(pattern, Reach.ThingTopics)
    {
        private const string AfterName = "shadow/name/";

        public override char? Forced(State state) => state.Mode == Mode.AfterName ? AfterName[state.Place % 100] : base.Forced(state);

        public override bool IsEnd(State state) => state.Mode == Mode.Anything;

        protected override Mode NameMode(string start) => start == Reach.ThingTopics[0] ? Mode.Thing : Mode.ThingOnly;

        // The place is the pattern's in Thing and Shadow; in between it is both, packed.
        protected override IReadOnlyCollection<State> StepName(State state, char letter)
        {
            var (place, mode) = state;
            switch (mode)
            {
                case Mode.Thing when letter == '/':
                    return
                    [
                        .. CanEnd(place) ? new[] { new State(0, Mode.Anything) } : [],
                        .. Take(place, '/').Select(next => new State(next * 100, Mode.AfterName)),
                    ];
                case Mode.ThingOnly when letter == '/':
                    return CanEnd(place) ? [new State(0, Mode.Anything)] : [];
                case Mode.Thing or Mode.ThingOnly:
                    return [.. Take(place, letter).Select(next => new State(next, mode))];
                case Mode.AfterName:
                    if (AfterName[place % 100] != letter)
                        return [];
                    return [place % 100 + 1 == AfterName.Length ? new State(place / 100, Mode.Shadow) : new State(place + 1, Mode.AfterName)];
                case Mode.Shadow when letter == '/':
                    return CanEnd(place) ? [new State(0, Mode.Anything)] : [];
                case Mode.Shadow:
                    return [.. Take(place, letter).Select(next => new State(next, Mode.Shadow))];
                default:
                    return [state];
            }
        }
    }
}
