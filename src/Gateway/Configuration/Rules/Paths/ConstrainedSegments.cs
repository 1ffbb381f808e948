using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>
/// Finds texts for a segment that the constraints of a route's parameters accept, as the router would. If a segment can be any organization id, there
/// are too many ids to try. Then the result is null only if it is certain that no id is accepted.
/// </summary>
internal sealed partial class ConstrainedSegments(Constraints constraints, OrganizationIdFormat ids)
{
    private const string Integer = "0123456789+- \t";
    private const string Real = Integer + ".,eE";
    private const string Hexadecimal = "0123456789abcdefABCDEF-{}()x, ";
    private static readonly string[] s_numbers = ["NaN", "Infinity", "+Infinity", "-Infinity", "∞", "-∞"];

    private readonly SegmentTexts _texts = new(constraints);

    /// <summary>Returns a text of a segment with which the route accepts a request, or null when there is none.</summary>
    /// <param name="route">The route.</param>
    /// <param name="index">The segment's index.</param>
    /// <param name="segment">The texts that the segment can have.</param>
    /// <param name="preferred">The text to return if it is accepted.</param>
    /// <param name="isSure">Whether the returned text is certain to be accepted.</param>
    public string? TextFor(RouteConfig route, int index, SegmentText segment, string preferred, out bool isSure)
    {
        isSure = true;
        if (RoutePath.Parse(route)?.PathSegments.ElementAtOrDefault(index) is not { IsSimple: true } pattern
            || pattern.Parts[0] is not RoutePatternParameterPart { IsCatchAll: false, ParameterPolicies.Count: > 0 } parameter)
            return preferred;
        try
        {
            var candidates = segment.IsWhole ? InEachCase(segment.Start) : [preferred, .. Guesses(segment, _texts.Of(pattern))];
            if (candidates.FirstOrDefault(text => constraints.Take(parameter, text)) is { } taken) return taken;
            isSure = false;
            var takesNone = segment.IsWhole ? !parameter.ParameterPolicies.Any(policy => IsCaseSensitive(constraints.Of(parameter, policy)))
                : parameter.ParameterPolicies.Any(policy => constraints.Of(parameter, policy) is { } constraint && TakesNone(constraint, segment));
            return takesNone ? null : preferred;
        }
        catch (Exception e) when (e is RouteCreationException or ArgumentException or InvalidOperationException or FormatException or OverflowException)
        {
            // A constraint that cannot be built is reported as an error of its own.
            return preferred;
        }
    }

    // Path matching ignores case, but a regular expression can be case-sensitive.
    private static IEnumerable<string> InEachCase(string text) => [text, text.ToLowerInvariant(), text.ToUpperInvariant()];

    private static bool IsCaseSensitive(IRouteConstraint? constraint) => constraint switch
    {
        OptionalRouteConstraint optional => IsCaseSensitive(optional.InnerConstraint),
        CompositeRouteConstraint all => all.Constraints.Any(IsCaseSensitive),
        RegexRouteConstraint expression => CaseOption().IsMatch($"{expression.Constraint}"),
        _ => false,
    };

    private IEnumerable<string> Guesses(SegmentText segment, IReadOnlyList<string> texts)
    {
        if (segment.Ids is null) return texts.Select(text => segment.Start + text + segment.End);
        var bodies = texts.Concat(
            from character in new[] { ids.Characters.FirstOrDefault(char.IsAsciiDigit), ids.Characters.FirstOrDefault(char.IsAsciiLetter), ids.Characters[0] }
                .Distinct()
            // A regular expression that backtracks can take seconds for each long text, so only a few lengths are tried.
            from length in new[] { 1, 2, 8, 32, ids.MinLength, ids.MaxLength }.Distinct()
            where character != default && length >= ids.MinLength && length <= ids.MaxLength
            select new string(character, length));
        return texts.Concat(bodies.Select(body => ids.Prefix + body)).Where(text => ids.TryParse(text, out _)).Select(id => segment.Start + id + segment.End);
    }

    private bool TakesNone(IRouteConstraint constraint, SegmentText segment)
    {
        if (segment.Ids is null) return false;
        var around = segment.Start + ids.Prefix + segment.End;
        return constraint switch
        {
            OptionalRouteConstraint optional => TakesNone(optional.InnerConstraint, segment),
            CompositeRouteConstraint all => all.Constraints.Any(one => TakesNone(one, segment)),
            IntRouteConstraint or LongRouteConstraint or MinRouteConstraint or MaxRouteConstraint or RangeRouteConstraint => HasOther(Integer),
            DecimalRouteConstraint => HasOther(Real),
            FloatRouteConstraint or DoubleRouteConstraint => HasOther(Real) && !Array.Exists(s_numbers, number => segment.Meets(SegmentText.Whole(number))),
            GuidRouteConstraint => HasOther(Hexadecimal),
            AlphaRouteConstraint => !around.All(char.IsAsciiLetter) || !ids.Characters.Any(char.IsAsciiLetter),
            BoolRouteConstraint => !segment.Meets(SegmentText.Whole(bool.TrueString)) && !segment.Meets(SegmentText.Whole(bool.FalseString)),
            MinLengthRouteConstraint least => around.Length + ids.MaxLength < least.MinLength,
            MaxLengthRouteConstraint most => around.Length + ids.MinLength > most.MaxLength,
            LengthRouteConstraint length => around.Length + ids.MaxLength < length.MinLength || around.Length + ids.MinLength > length.MaxLength,
            RegexRouteConstraint expression => Words().Match($"{expression.Constraint}") is { Success: true } words
                && !words.Groups["words"].Value.Split('|').Any(word => segment.Meets(SegmentText.Whole(word))),
            _ => false,
        };

        // If this is true, every id contains a character that the constraint's texts never contain.
        bool HasOther(string characters) =>
            around.Any(character => !characters.Contains(character, StringComparison.Ordinal))
                || !ids.Characters.Any(character => characters.Contains(character, StringComparison.Ordinal));
    }

    // Matches an inline option that makes a regular expression case-sensitive.
    [GeneratedRegex(@"\(\?[A-Za-z]*-[A-Za-z]*i")]
    private static partial Regex CaseOption();

    // Matches a regular expression that is a plain list of words.
    [GeneratedRegex(@"^\^(?:\((?:\?:)?(?<words>[A-Za-z0-9_-]+(?:\|[A-Za-z0-9_-]+)*)\)|(?<words>[A-Za-z0-9_-]+))\$$")]
    private static partial Regex Words();
}
