namespace CredentialModule.Tests.Policies;

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
        ThingTopic,
        Thing,
        AfterThing,
        AfterName,
        Shadow,
        Anything,
    }

    public abstract IReadOnlyCollection<State> Start { get; }

    public static Walker Of(Reach.Resource resource) => resource.Type switch
    {
        "topicfilter" => new FilterWalker(resource.Pattern),
        "thing" => new ThingWalker(resource.Pattern),
        _ => new PlainWalker(resource.Pattern),
    };

    public abstract IReadOnlyCollection<State> Step(State state, char letter);

    public abstract bool IsEnd(State state);

    /// <summary>The only letter that can follow; null when several can, or when that is not looked into.</summary>
    public char? Forced(State state) =>
        state is { Mode: Mode.Plain or Mode.FilterStart or Mode.LevelStart or Mode.Level, Place: var place }
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

    private sealed class PlainWalker(string pattern) : Walker(pattern)
    {
        public override IReadOnlyCollection<State> Start => [new State(0, Mode.Plain)];

        public override IReadOnlyCollection<State> Step(State state, char letter) => [.. Take(state.Place, letter).Select(place => new State(place, Mode.Plain))];

        public override bool IsEnd(State state) => CanEnd(state.Place);
    }

    /// <summary>Reads a topic while the pattern reads one of the filters that match it.</summary>
    private sealed class FilterWalker(string pattern) : Walker(pattern)
    {
        private readonly string _pattern = pattern;

        public override IReadOnlyCollection<State> Start => [.. AfterShareGroup().Prepend(0).SelectMany(place => Choices(place, Mode.FilterStart))];

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

        private HashSet<int> AfterShareGroup()
        {
            IEnumerable<int> places = [0];
            foreach (var letter in "$share/")
                places = [.. places.SelectMany(place => Take(place, letter)).Distinct()];
            var inGroup = new HashSet<int>();
            var open = new Queue<int>(places);
            while (open.TryDequeue(out var place))
            {
                foreach (var next in (_pattern + "~").Where(letter => letter is not ('/' or '+' or '#')).SelectMany(letter => Take(place, letter)))
                {
                    if (inGroup.Add(next))
                        open.Enqueue(next);
                }
            }

            return [.. inGroup.SelectMany(place => Take(place, '/'))];
        }
    }

    /// <summary>Reads a shadow topic while the pattern reads the thing, or thing and shadow, that it belongs to.</summary>
    private sealed class ThingWalker(string pattern) : Walker(pattern)
    {
        private const string Before = "$aws/things/";
        private const string AfterThing = "shadow/";
        private const string AfterName = "shadow/name/";

        // The place counts along the fixed text in ThingTopic; it is the pattern's in Thing and Shadow; it is both, packed, in between.
        public override IReadOnlyCollection<State> Start => [new State(0, Mode.ThingTopic)];

        public override IReadOnlyCollection<State> Step(State state, char letter)
        {
            var (place, mode) = state;
            switch (mode)
            {
                case Mode.ThingTopic:
                    if (Before[place] != letter)
                        return [];
                    return place + 1 == Before.Length ? [new State(0, Mode.Thing)] : [new State(place + 1, Mode.ThingTopic)];
                case Mode.Thing when letter == '/':
                    return
                    [
                        .. CanEnd(place) ? new[] { new State(0, Mode.AfterThing) } : [],
                        .. Take(place, '/').Select(next => new State(next * 100, Mode.AfterName)),
                    ];
                case Mode.Thing:
                    return [.. Take(place, letter).Select(next => new State(next, Mode.Thing))];
                case Mode.AfterThing:
                    if (AfterThing[place] != letter)
                        return [];
                    return [place + 1 == AfterThing.Length ? new State(0, Mode.Anything) : new State(place + 1, Mode.AfterThing)];
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

        public override bool IsEnd(State state) => state.Mode == Mode.Anything;
    }
}
