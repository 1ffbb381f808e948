using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>Generates texts for a path segment, to send test requests through a router. The router decides whether they match.</summary>
internal sealed class SegmentTexts(Constraints constraints)
{
    private const string Plain = "probe";

    // Each of ASP.NET Core's constraints accepts at least one of these texts. Numbers from the constraint's own arguments are added.
    private static readonly string[] s_texts =
    [
        Plain, "7", "0", "1", "12", "100", "1000", "-1", "3000000000", "1.5", "true", "false", "2026-01-31", "2026-01-31T12:00:00",
        "5f0c3ad0-5b65-4d0e-9a3a-6f2b1f3c8d11", "abc", "a", "ab", "a1", "A", "ABC-123", "v1", "en", "en-US", "file.js", "x_y", "user@example.com",
    ];

    private static readonly string[] s_fillers = ["p", "1"];

    private readonly Dictionary<string, IReadOnlyList<string>> _known = new(StringComparer.Ordinal);

    /// <summary>Returns some texts for one segment of a route.</summary>
    public IReadOnlyList<string> Of(RoutePatternPathSegment segment)
    {
        if (segment.IsSimple) return segment.Parts[0] is RoutePatternParameterPart parameter ? Of(parameter) : [TextOf(segment.Parts[0])];
        // Combine the first text of each parameter with up to three texts of the last parameter.
        return [.. Of(segment.Parts.OfType<RoutePatternParameterPart>().Last()).Take(3).Select(last => string.Concat(segment.Parts.Select(part =>
            part is not RoutePatternParameterPart named ? TextOf(part)
                : named == segment.Parts.OfType<RoutePatternParameterPart>().Last() ? last
                : Of(named)[0])))];
    }

    /// <summary>Returns texts that two segments of the same precedence could both match, or none if they certainly have no text in common.</summary>
    public IReadOnlyList<string> OfBoth(RoutePatternPathSegment one, RoutePatternPathSegment other)
    {
        var (first, second) = (Ends(one), Ends(other));
        if (!AreOneTheOthersStart(first.Start, second.Start) || !AreOneTheOthersEnd(first.End, second.End)) return [];
        if (first.IsWhole && second.IsWhole) return [first.Start];
        if (IsFree(one) && IsFree(other)) return [Plain];
        var start = first.Start.Length >= second.Start.Length ? first.Start : second.Start;
        var end = first.End.Length >= second.End.Length ? first.End : second.End;
        string[] merged = one.IsSimple && other.IsSimple
            ? []
            : [.. s_fillers.Select(filler => start + string.Concat(Middle(one, filler).Concat(Middle(other, filler))) + filler + end)];
        return [.. Of(one).Concat(Of(other)).Concat(merged).Where(text => Takes(one, text) && Takes(other, text)).Distinct(StringComparer.Ordinal).Take(4)];
    }

    // Whether a segment accepts a text. If it has several parts, only the router can tell, so the result is true.
    private bool Takes(RoutePatternPathSegment segment, string text) =>
        !segment.IsSimple || segment.Parts[0] is not RoutePatternParameterPart parameter || constraints.Take(parameter, text);

    private IReadOnlyList<string> Of(RoutePatternParameterPart parameter)
    {
        if (parameter.ParameterPolicies.Count == 0) return [Plain];
        var written = string.Join(':', parameter.ParameterPolicies.Select(policy => policy.Content));
        if (_known.TryGetValue(written, out var known)) return known;
        var texts = s_texts.Concat(ConstraintTexts.Of(written))
            .Where(text => constraints.Take(parameter, text)).Distinct(StringComparer.Ordinal).Take(16).ToArray();
        return _known[written] = texts.Length > 0 ? texts : [Plain];
    }

    private static bool IsFree(RoutePatternPathSegment segment) =>
        segment.IsSimple && segment.Parts[0] is RoutePatternParameterPart { ParameterPolicies.Count: 0 };

    private static (string Start, string End, bool IsWhole) Ends(RoutePatternPathSegment segment)
    {
        var isWhole = segment.Parts.All(part => part is not RoutePatternParameterPart);
        var start = string.Concat(segment.Parts.TakeWhile(part => part is not RoutePatternParameterPart).Select(TextOf));
        var end = string.Concat(segment.Parts.Reverse().TakeWhile(part => part is not RoutePatternParameterPart).Reverse().Select(TextOf));
        return (start, end, isWhole);
    }

    private static IEnumerable<string> Middle(RoutePatternPathSegment segment, string filler) => segment.Parts
        .SkipWhile(part => part is not RoutePatternParameterPart)
        .Reverse().SkipWhile(part => part is not RoutePatternParameterPart).Reverse()
        .Where(part => part is not RoutePatternParameterPart).Select(part => filler + TextOf(part));

    private static bool AreOneTheOthersStart(string one, string other) =>
        one.StartsWith(other, StringComparison.OrdinalIgnoreCase) || other.StartsWith(one, StringComparison.OrdinalIgnoreCase);

    private static bool AreOneTheOthersEnd(string one, string other) =>
        one.EndsWith(other, StringComparison.OrdinalIgnoreCase) || other.EndsWith(one, StringComparison.OrdinalIgnoreCase);

    private static string TextOf(RoutePatternPart part) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        _ => "",
    };
}
