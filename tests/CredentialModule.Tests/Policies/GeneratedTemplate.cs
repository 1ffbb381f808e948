using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;

namespace IotCredentials.Tests.Policies;

/// <summary>A template to try the rules with: good ones, nearly good ones and nasty ones, over small alphabets so that things coincide.</summary>
internal sealed record GeneratedTemplate(GeneratedTemplate.IdForm Form, GeneratedTemplate.Part[] Parts, string[] Shared, int Salt)
{
    private static readonly IdForm[] s_forms =
    [
        new("", "A-Za-z0-9_-"), new("o-", "A-Za-z0-9"), new("", "a-z"), new("", "a"), new("a", "ab"), new("-", "-a"),
        new("o-", "a-z-"), new("ab", "a-b"), new("aa", "a"), new("", "a-z", 2, 5), new("o-", "a-z-", 1, 3),
        new("", "ab", 1, 2), new("", "A-Za-z0-9_-", 3, 64), new("a", "ab", 2, 3), new("", "a-z", 6, 13),
    ];

    private static readonly IdForm[] s_oneLength =
    [
        new("", "0-9a-f-", 4, 4), new("", "a-c-", 3, 3), new("o-", "a-z-", 2, 2), new("", "ab", 2, 2), new("a", "ab", 2, 2), new("-", "-a", 3, 3),
        new("ab", "ab", 3, 3), new("", "A-Za-z0-9_-", 3, 3), new("", "ab-", 1, 1), new("aa", "ab", 1, 1), new("a-a", "a-", 2, 2), new("", "a-z", 6, 6),
    ];

    private static readonly string[] s_types = ["client", "topic", "topic", "topicfilter", "thing"];

    private static readonly string[] s_heads =
    [
        "", "a", "a/", "o", "o-", "o-a-", "ab", "-", "t/", "organizations/", "organizations", "x/", "a-", "b/a", "aa",
        ":", "ao-", "aab/", "-/", "/", "ab/", "aaa", "ba-/", "a-a", "bb", "shadow/", "status/", "notify/", new('a', 62),
        new('a', 63), new('a', 64), $"{new string('a', 63)}/", $"{new string('a', 64)}/", $"{new string('a', 65)}/",
    ];

    // The heads that differ by one of these are those that meet.
    private static readonly string[] s_smallHeads = ["a", "ab", "b", "-", "a/", "ab/", "aaa/", "o-a/", ":", "a:"];

    private static readonly string[] s_starts =
    [
        "$aws/things/", "$aws/things/", "$aws/rules/r/", "$aws/things/a", "$aws/commands/things/", "$aws/commands/things/a",
        "$aws/events/thing/", "$aws/events/thingTypeAssociation/thing/", "$aws/commands/clients/", "$aws/events/presence/connected/",
        "$aws/events/presence/disconnected/a", "$aws/events/subscriptions/subscribed/", "$share/g/",
    ];

    private static readonly string[] s_clientStarts =
    [
        "$aws/commands/clients/", "$aws/events/presence/connected/", "$aws/events/presence/disconnected/",
        "$aws/events/presence/connect_failed/", "$aws/events/subscriptions/subscribed/",
    ];

    // Behind these, the end of a text is all that tells the id.
    private static readonly string[] s_openHeads =
    [
        "a/*/", "s/*/", "a*:", "a/?/", "x/*/a/", "status/*/", "t*", "a/b*/", "a?/", "ab*-", "x*/", "a/*", "s/?", "*/",
        "*:", "?*/", "a/*/a/", "$aws/events/presence/connected/*:", "$aws/things/a*/", "$aws/rules/*/", "$share/g/a/*/"
    ];

    private static readonly string[] s_openFilterHeads = ["s/+/", "a/+/*/", "a/*/+/", "status/+/", "s/+/a/"];

    private static readonly string[] s_literalTails = ["", "", "", "/cmd", "/x", ":a", "a", "/a", "/notify", "-"];

    private static readonly string[] s_nastyHeads =
    [
        "*", "*/", "?/", "+/", "#/", "{region}/", "$share/", "$share/*/", "$share/g?/", "$share/{region}/", "$aws/rules/",
        "$aws/rules/*/", "$aws/rules/r?/", "$aws/", "$queue/", "$aws/things/*/", "$aws/events/presence/*/", "$aws/commands/*/",
        "$aws/certificates/", "$aws/events/job/", "$aws/events/thing*/", "$aws/commands/things/x/executions/",
    ];

    private static readonly string[] s_tails =
    [
        "", "", "/*", "/*", "/*", "/x", ":*", "-*", "-", "/", ".*", "/a/*", "/*/a",
        "/?", "/{organizationId}", "-a/*", "/shadow/*", "/executions/*", "/jobs/notify", "$*", "/$a", "-*/shadow/name/$package/*"
    ];

    private static readonly string[] s_filterTails = ["/+/status", "/#", "/+", "/*/#", "/?/#", "-/#", ":/+/#", "-*/executions/+/request/#"];

    private static readonly string[] s_nastyTails = ["*", "?", "?/*", "a*", "a/*", "-x", "+", "#", "/x#", "/#/x", "{organizationId}/*", "b", "_/*", "{region}"];

    // With ids of one length, whatever follows one is good.
    private static readonly string[] s_oneLengthTails = ["*", "?", "?/*", "a*", "a/*", "-x", "{organizationId}/*", "b", "-*", "a", "ab", "-/#", "*/#", "?/+"];

    private static readonly string[] s_shared =
        ["announcements/*", "broadcast", "a/*", "aa", "aa/*", "x/y", "o-a/*", "organizations/*", "status/x", "s/?/x", "abc", "/*", "a-/*", "t/b*"];

    /// <summary>The form of ids.</summary>
    internal sealed record IdForm(string Prefix, string Characters, int Min = 1, int Max = 64)
    {
        private readonly Regex _whole = new($"^{Regex.Escape(Prefix)}[{Characters}]{{{Min},{Max}}}\\z", RegexOptions.CultureInvariant);
        private readonly Regex _start = new($"\\G{Regex.Escape(Prefix)}[{Characters}]{{{Min},{Max}}}", RegexOptions.CultureInvariant);

        public bool HasOneLength => Min == Max;

        /// <summary>The characters of an id, of those that the generator writes.</summary>
        public string Letters { get; } = string.Concat("abcdefghijklmnopqrstuvwxyz-".Where(letter => Regex.IsMatch($"{letter}", $"[{Characters}]")));

        public bool IsId(string text) => _whole.IsMatch(text);

        /// <summary>The longest id at a place of a text; null when there is none.</summary>
        public string? IdAt(string text, int place) => _start.Match(text, place) is { Success: true } match ? match.Value : null;
    }

    /// <summary>One resource.</summary>
    internal sealed record Part(string Type, string Head, string Tail)
    {
        private string Action => Type switch
        {
            "client" => "iot:Connect",
            "topic" => "iot:Publish",
            "topicfilter" => "iot:Subscribe",
            _ => "iot:GetThingShadow"
        };

        public string Name => $"{Head}{{organizationId}}{Tail}";

        public string Statement => $$"""{"Effect":"Allow","Action":"{{Action}}","Resource":"{{Arn}}{{Type}}/{{Name}}"}""";
    }

    private const string Arn = "arn:aws:iot:r:111122223333:";

    public static Arbitrary<GeneratedTemplate> Any { get; } = Arb.From(Generator(), template => Smaller(template));

    public string Text => Templates.Document(
    [
        .. Parts.Select(part => part.Statement),
        .. Shared.SelectMany(name => new[]
        {
            $$"""{"Effect":"Allow","Action":"iot:Subscribe","Resource":"{{Arn}}topicfilter/{{name}}"}""",
            $$"""{"Effect":"Allow","Action":["iot:Receive","iot:GetRetainedMessage"],"Resource":"{{Arn}}topic/{{name}}"}""",
        }),
    ]);

    /// <summary>The profile's list of shared topics.</summary>
    public string[] SharedTopics => [.. Shared.Select(name => $"{Arn}topic/{name}")];

    /// <summary>Ids of the form that are most likely to be mistaken for something: what stands in the template where an id could, and the shortest.</summary>
    public IReadOnlyList<string> LookAlikes(int most)
    {
        var random = new System.Random(Salt);
        var letters = Form.Letters;
        var closers = Parts.Where(part => part.Tail.Length > 0 && letters.Contains(part.Tail[0])).Select(part => part.Tail[0]);
        var bodies = letters.Take(1).Concat(closers).Append(letters[^1]).Distinct()
            .SelectMany(letter => new[]
            {
                new string(letter, Form.Min),
                $"{letters[0]}{new string(letter, Form.Min - 1)}",
                new string(letter, Math.Min(Form.Min + 1, Form.Max))
            })
            .Select(body => Form.Prefix + body).Distinct().Take(5).ToList();
        if (Form.Max <= 3 && Form.Letters.Length <= 3 && Every(Form.Min, Form.Max) is { Count: <= 8 } all)
            return all;
        // AWS's topics hold words that may be ids.
        string[] words = Parts.Any(part => part.Type is "thing" or "topic") ? [.. new[] { "name", "notify", "shadow", "get" }.Where(IsId).Take(2)] : [];
        var found = from name in Parts.Select(part => part.Name).Concat(Shared)
                    from body in bodies.Take(2)
                    let text = name.Replace("{organizationId}", body, StringComparison.Ordinal).Replace("$share/g/", "", StringComparison.Ordinal)
                    from place in Enumerable.Range(0, text.Length)
                    let run = Form.IdAt(text, place)
                    where run is not null
                    select (Id: run, AtLevel: place == 0 || text[place - 1] == '/');
        var others = found.Distinct().OrderByDescending(candidate => candidate.AtLevel).ThenBy(_ => random.Next()).Select(candidate => candidate.Id);
        return [.. bodies.Take(2).Concat(words).Concat(others).Concat(bodies).Distinct().Take(most)];
    }

    private List<string> Every(int min, int max)
    {
        IEnumerable<string> bodies = [""];
        var all = new List<string>();
        for (var length = 1; length <= max && all.Count <= 8; length++)
        {
            bodies = [.. bodies.SelectMany(body => Form.Letters.Select(letter => body + letter))];
            all.AddRange(length >= min ? bodies.Select(body => Form.Prefix + body) : []);
        }

        return all;
    }

    public bool IsId(string id) => Form.IsId(id);

    public override string ToString() => $"{Form}, shared `{string.Join(' ', Shared)}`, salt {Salt}: {Text}";

    private static Gen<GeneratedTemplate> Generator() =>
        from form in Gen.Frequency((3, Gen.Elements(s_forms)), (2, Gen.Elements(s_oneLength)))
        from first in Resource(null, form)
        from count in Gen.Frequency((1, Gen.Constant(0)), (4, Gen.Constant(1)), (2, Gen.Constant(2)))
        from more in Gen.ArrayOf(Gen.Frequency((1, Resource(null, form)), (6, Resource(first, form))), count)
        from shared in Gen.Frequency((5, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)))
        from names in Gen.ArrayOf(Gen.Elements(s_shared), shared)
        from salt in Gen.Choose(0, int.MaxValue - 1)
        select new GeneratedTemplate(form, [first, .. more], [.. names.Distinct()], salt);

    /// <summary>A resource; with another one given, its head is that one's or begins with it: that is where two of them meet.</summary>
    private static Gen<Part> Resource(Part? other, IdForm form) =>
        from type in Gen.Elements(s_types)
        let isPartner = type is "topic" or "topicfilter" && other?.Type == "client"
        from start in Gen.Frequency((isPartner ? 1 : 6, Gen.Constant("")), (4, Gen.Elements(type switch
        {
            "topic" or "topicfilter" when isPartner => s_clientStarts,
            "topic" => s_starts[..^1],
            "topicfilter" => s_starts,
            _ => [""],
        })))
        from pieces in Gen.ArrayOf(Gen.Frequency((20, Gen.Elements(s_heads)), (20, Gen.Elements(s_smallHeads)), (1, Gen.Elements(s_nastyHeads))), 2)
        from count in Gen.Choose(0, 2)
        let isOtherOpen = other is not null && other.Head.AsSpan().IndexOfAny("*?+") >= 0
        from isOpen in Gen.Frequency((isOtherOpen ? 1 : 6, Gen.Constant(false)), (1, Gen.Constant(true)))
        from someHead in Gen.Elements(type == "topicfilter" ? [.. s_openHeads, .. s_openFilterHeads] : s_openHeads)
        from openHead in Gen.Frequency(
            (1, Gen.Constant(someHead)),
            (isOtherOpen ? 3 : 0, Gen.Constant(type == "topicfilter" ? other?.Head ?? "" : other?.Head.Replace('+', '*') ?? "")))
        from literalTail in Gen.Elements(s_literalTails)
        from tail in Gen.Frequency(
            (16, Gen.Elements(s_tails)),
            (type == "topicfilter" ? 6 : 0, Gen.Elements(s_filterTails)),
            (1, Gen.Elements(s_nastyTails)),
            (form.HasOneLength ? 8 : 0, Gen.Elements(s_oneLengthTails)))
        let head = isOpen ? openHead : (other is null ? start : HeadFor(type, other, start)) + string.Concat(pieces.Take(count))
        let end = isOpen ? literalTail : tail
        // Filter grammar is a rule of its own; where it is broken nothing else shows.
        select new Part(type, head, type != "topicfilter" && end.AsSpan().IndexOfAny('+', '#') >= 0 ? "/*" : end);

    private static string HeadFor(string type, Part other, string start)
    {
        // The name behind the fixed part, as another type or another kind of topic has it.
        var name = s_starts.Where(known => known.EndsWith('/') && other.Head.StartsWith(known, StringComparison.Ordinal))
            .Select(known => other.Head[known.Length..])
            .FirstOrDefault(other.Head);
        return type is "topic" or "topicfilter" ? (start.EndsWith('/') || other.Head == name ? start : other.Head[..^name.Length]) + name : name;
    }

    private static IEnumerable<GeneratedTemplate> Smaller(GeneratedTemplate template) =>
        template.Shared.Length > 0 ? [template with { Shared = template.Shared[1..] }]
        : template.Parts.Length == 1 ? [] : template.Parts.Select(part => template with { Parts = [.. template.Parts.Where(other => other != part)] });
}
