namespace IotCredentials.Policies;

/// <summary>
/// A pattern of client ids or topics, used to find a text that two patterns cover. It finds one if there is one. But a pattern of a thing leaves out what it
/// reaches besides shadows, so no verdict about two resources depends on it: there it only provides the example in a finding.
/// </summary>
internal sealed class Glob
{
    private readonly IReadOnlyList<Step> _steps;

    private Glob(IReadOnlyList<Step> steps) => _steps = steps;

    /// <summary>A pattern as IAM reads it.</summary>
    public static Glob Of(string pattern) => new([.. pattern.Select(OfIam)]);

    /// <summary>The topics of the filters that IAM's pattern covers. A wildcard at a place where MQTT allows none matches nothing.</summary>
    public static Glob OfFilter(string pattern) => new([.. pattern.Select((character, i) => (character, IsLevel(pattern, i)) switch
    {
        ('+', true) => new Step(Kind.Run, '\0', WithinLevel: true),
        ('#', true) when i == pattern.Length - 1 => new Step(Kind.Run, '\0', WithinLevel: false),
        ('+' or '#', _) => Step.None,
        _ => OfIam(character),
    })]);

    /// <summary>The shadow topics of the things that IAM's pattern covers. After a slash, the pattern covers named shadows, which are left out.</summary>
    public static Glob OfThing(string head, string pattern) => new(
    [
        .. head.Select(OfIam),
        .. pattern.Select(character => character == '/' ? Step.None : OfIam(character) with { WithinLevel = true }),
        .. "/shadow/*".Select(OfIam),
    ]);

    /// <summary>A shortest text that both patterns cover; null if none was found.</summary>
    public string? Intersect(Glob other)
    {
        var seen = new Dictionary<(int, int), ((int, int) From, char Read)> { [(0, 0)] = default };
        var queue = new Queue<(int I, int J)>([(0, 0)]);
        while (queue.TryDequeue(out var state))
        {
            var (i, j) = state;
            if (i == _steps.Count && j == other._steps.Count)
                return Complete(Spell(seen, state), other);
            var mine = i < _steps.Count ? _steps[i] : Step.None;
            var theirs = j < other._steps.Count ? other._steps[j] : Step.None;
            if (mine.Kind == Kind.Run)
                Visit((i + 1, j), '\0');
            if (theirs.Kind == Kind.Run)
                Visit((i, j + 1), '\0');
            if (Common(mine, theirs) is { } read)
                Visit((mine.Kind == Kind.Run ? i : i + 1, theirs.Kind == Kind.Run ? j : j + 1), read);

            void Visit((int, int) next, char character)
            {
                if (seen.TryAdd(next, (state, character)))
                    queue.Enqueue(next);
            }
        }

        return null;
    }

    /// <summary>
    /// Adds a character to a text that ends in a slash, if both patterns allow one: the text is valid, but looks like a mistake in a message.
    /// </summary>
    private string Complete(string text, Glob other) =>
        text.EndsWith('/') && _steps[^1].Kind == Kind.Run && other._steps[^1].Kind == Kind.Run ? text + 'x' : text;

    private static string Spell(Dictionary<(int, int), ((int, int) From, char Read)> seen, (int, int) state)
    {
        var read = new Stack<char>();
        for (; state != (0, 0); state = seen[state].From)
        {
            if (seen[state].Read != '\0')
                read.Push(seen[state].Read);
        }

        return string.Concat(read);
    }

    private static char? Common(Step left, Step right) => (left.Kind, right.Kind) switch
    {
        (Kind.None, _) or (_, Kind.None) => null,
        (Kind.Literal, Kind.Literal) => left.Literal == right.Literal ? left.Literal : null,
        (Kind.Literal, _) => right.Admits(left.Literal) ? left.Literal : null,
        (_, Kind.Literal) => left.Admits(right.Literal) ? right.Literal : null,
        _ => 'x',
    };

    private static bool IsLevel(string pattern, int i) =>
        (i == 0 || pattern[i - 1] == '/') && (i == pattern.Length - 1 || pattern[i + 1] == '/');

    private static Step OfIam(char character) => character switch
    {
        '*' => new Step(Kind.Run, '\0', WithinLevel: false),
        '?' => new Step(Kind.One, '\0', WithinLevel: false),
        _ => new Step(Kind.Literal, character, WithinLevel: false),
    };

    private enum Kind
    {
        None,
        Literal,
        One,
        Run,
    }

    private readonly record struct Step(Kind Kind, char Literal, bool WithinLevel)
    {
        public static Step None => default;

        public bool Admits(char character) => !WithinLevel || character != '/';
    }
}
