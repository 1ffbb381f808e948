using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Configuration.Rules;

/// <summary>A path is written as ASP.NET Core's routes are: wildcards of other products would be taken letter by letter.</summary>
internal static partial class RouteWildcardRules
{
    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            // Only what no parameter holds: a constraint may be a regular expression.
            var texts = RoutePath.Parse(route)?.PathSegments.SelectMany(segment => segment.Parts.OfType<RoutePatternLiteralPart>()).Select(part => part.Content) ?? [];
            if (texts.Select(WordFor).FirstOrDefault(word => word is not null) is not { } found) continue;
            context.Warning(RouteKey.Of(route, "Match:Path"),
                $"is {Finding.Quote(route.Match.Path!)}, in which {found} and stands for itself alone. "
                + "Write {name} for one segment, {**rest} at the end for all that follow, and {name:regex(…)} for a form.");
        }
    }

    private static string? WordFor(string text) =>
        Colon().IsMatch(text) || Angle().IsMatch(text) ? "a parameter is written as in another product,"
        : text.Contains('*', StringComparison.Ordinal) ? "\"*\" is no wildcard here"
        : Expression().IsMatch(text) ? "a regular expression is written"
        : null;

    [GeneratedRegex("^:[A-Za-z_]")]
    private static partial Regex Colon();

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Angle();

    // Not "$metadata", "items(7)" or "files:copy", which APIs have.
    [GeneratedRegex(@"^\^|.\$$|\.\+|\\[dwsbDWSB.]|\[[^\]]*\]|\(\?|\([^)]*\|[^)]*\)|^~[ *]")]
    private static partial Regex Expression();
}
