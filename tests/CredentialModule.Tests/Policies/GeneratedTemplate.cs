using System.Text.RegularExpressions;
using FsCheck;
using FsCheck.Fluent;

namespace CredentialModule.Tests.Policies;

/// <summary>A template to try the rules with: good ones, nearly good ones and nasty ones, over small alphabets so that things coincide.</summary>
internal sealed record GeneratedTemplate(string Prefix, string Characters, GeneratedTemplate.Part[] Parts, int Salt)
{
    private static readonly (string Prefix, string Characters)[] s_forms =
    [
        ("", "A-Za-z0-9_-"), ("o-", "A-Za-z0-9"), ("", "a-z"), ("", "a"), ("a", "ab"), ("-", "-a"), ("o-", "a-z-"), ("ab", "a-b"), ("aa", "a"),
    ];

    private static readonly string[] s_types = ["client", "topic", "topic", "topicfilter", "thing"];

    private static readonly string[] s_heads =
    [
        "", "a", "a/", "o", "o-", "o-a-", "ab", "-", "t/", "organizations/", "organizations", "x/", "a-", "b/a", "aa", ":", "ao-", "aab/", "-/", "/",
        "shadow/", new('a', 62), new('a', 63), new('a', 64), $"{new string('a', 63)}/", $"{new string('a', 64)}/", $"{new string('a', 65)}/",
    ];

    private static readonly string[] s_starts = ["$aws/things/", "$aws/rules/r/", "$aws/things/a", "$share/g/"];

    private static readonly string[] s_nastyHeads = ["*", "*/", "?/", "+/", "#/", "{region}/", "$share/", "$share/*/", "$share/g?/", "$share/{region}/", "$aws/rules/", "$aws/", "$queue/"];

    private static readonly string[] s_tails = ["", "", "/*", "/*", "/*", "/x", ":*", "-*", "-", "/", ".*", "/a/*", "/*/a", "/?", "/{organizationId}", "-a/*", "/shadow/*"];

    private static readonly string[] s_filterTails = ["/+/status", "/#", "/+", "/*/#", "/?/#", "-/#", ":/+/#"];

    private static readonly string[] s_nastyTails = ["*", "?", "?/*", "a*", "a/*", "-x", "+", "#", "/x#", "/#/x", "{organizationId}/*", "b", "_/*", "{region}"];

    /// <summary>One resource.</summary>
    internal sealed record Part(string Type, string Head, string Tail)
    {
        private string Action => Type switch { "client" => "iot:Connect", "topic" => "iot:Publish", "topicfilter" => "iot:Subscribe", _ => "iot:GetThingShadow" };

        public string Name => $"{Head}{{organizationId}}{Tail}";

        public string Statement => $$"""{"Effect":"Allow","Action":"{{Action}}","Resource":"arn:aws:iot:r:111122223333:{{Type}}/{{Name}}"}""";
    }

    public static Arbitrary<GeneratedTemplate> Any { get; } = Arb.From(Generator(), template => Smaller(template));

    public string Text => Templates.Document([.. Parts.Select(part => part.Statement)]);

    /// <summary>Ids of the form that are most likely to be mistaken for something: what stands in the template where an id could, and the shortest.</summary>
    public IReadOnlyList<string> LookAlikes(int most)
    {
        var id = new Regex($"(?={Regex.Escape(Prefix)}[{Characters}]{{1,64}})", RegexOptions.CultureInvariant);
        var random = new System.Random(Salt);
        var first = Regex.Match("abcdefghijklmnopqrstuvwxyz-", $"[{Characters}]").Value;
        string[] shortest = [Prefix + first, Prefix + first + first];
        // In the topics of named shadows AWS writes a word that may be an id.
        string[] words = Parts.Any(part => part.Type == "thing" && part.Head.Contains('/')) && IsId("name") ? ["name"] : [];
        var found = from part in Parts
                    from body in shortest
                    let name = part.Name.Replace("{organizationId}", body, StringComparison.Ordinal).Replace("$share/g/", "", StringComparison.Ordinal)
                    from Match at in id.Matches(name)
                    let run = Regex.Match(name[at.Index..], $"^{Regex.Escape(Prefix)}[{Characters}]{{1,64}}").Value
                    select (Id: run, AtLevel: at.Index == 0 || name[at.Index - 1] == '/');
        var others = found.Distinct().OrderByDescending(candidate => candidate.AtLevel).ThenBy(_ => random.Next()).Select(candidate => candidate.Id);
        return [.. shortest.Concat(words).Concat(others).Distinct().Take(most)];
    }

    public bool IsId(string id) => Regex.IsMatch(id, $"^{Regex.Escape(Prefix)}[{Characters}]{{1,64}}\\z", RegexOptions.CultureInvariant);

    public override string ToString() => $"prefix `{Prefix}`, characters `{Characters}`, salt {Salt}: {Text}";

    private static Gen<GeneratedTemplate> Generator() =>
        from form in Gen.Elements(s_forms)
        from first in Resource(null)
        from count in Gen.Frequency((1, Gen.Constant(0)), (4, Gen.Constant(1)), (2, Gen.Constant(2)))
        from more in Gen.ArrayOf(Gen.Frequency((1, Resource(null)), (6, Resource(first))), count)
        from salt in Gen.Choose(0, int.MaxValue - 1)
        select new GeneratedTemplate(form.Prefix, form.Characters, [first, .. more], salt);

    /// <summary>A resource; with another one given, its head is that one's or begins with it: that is where two of them meet.</summary>
    private static Gen<Part> Resource(Part? other) =>
        from type in Gen.Elements(other?.Type == "client" ? ["client"] : other is null ? s_types : s_types[1..])
        from start in Gen.Frequency((6, Gen.Constant("")), (3, Gen.Elements(type switch
        {
            "topic" => s_starts[..^1],
            "topicfilter" => s_starts,
            _ => [""],
        })))
        from pieces in Gen.ArrayOf(Gen.Frequency((40, Gen.Elements(s_heads)), (1, Gen.Elements(s_nastyHeads))), 2)
        from count in Gen.Choose(0, 2)
        from tail in Gen.Frequency((16, Gen.Elements(s_tails)), (2, Gen.Elements(s_filterTails)), (1, Gen.Elements(s_nastyTails)))
        let head = (other is null ? start : HeadFor(type, other)) + string.Concat(pieces.Take(count))
        // Filter grammar is a rule of its own; where it is broken nothing else shows.
        select new Part(type, head, type != "topicfilter" && tail.AsSpan().IndexOfAny('+', '#') >= 0 ? "/*" : tail);

    private static string HeadFor(string type, Part other)
    {
        var head = other.Type == "thing" ? "$aws/things/" + other.Head : other.Head;
        foreach (var start in type switch { "thing" => ["$aws/things/", "$share/g/"], "topic" => ["$share/g/"], _ => Array.Empty<string>() })
            head = head.StartsWith(start, StringComparison.Ordinal) ? head[start.Length..] : head;
        return head;
    }

    private static IEnumerable<GeneratedTemplate> Smaller(GeneratedTemplate template) =>
        template.Parts.Length == 1 ? [] : template.Parts.Select(part => template with { Parts = [.. template.Parts.Where(other => other != part)] });
}
