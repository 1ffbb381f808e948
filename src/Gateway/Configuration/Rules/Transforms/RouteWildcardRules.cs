using System.Text.RegularExpressions;
using Gateway.Configuration.Rules.Paths;
using Microsoft.AspNetCore.Routing.Patterns;

namespace Gateway.Configuration.Rules.Transforms;

/// <summary>Checks for wildcards of other products in paths. ASP.NET Core would match them literally.</summary>
internal static partial class RouteWildcardRules
{
    /// <summary>
    /// Neither a route's path nor a path in its transforms contains a wildcard, parameter or regular expression in another product's syntax.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (RoutePath.Parse(route) is { } path && WordFor(path) is { } found)
                context.Warning(RouteKey.Of(route, "Match:Path"),
                    $"is {Finding.Quote(route.Match.Path!)}, in which {found} and stands for itself alone. "
                    + "Write {name} for one segment, {**rest} at the end for all that follow, and {name:regex(…)} for a form.");
            for (var index = 0; index < route.Transforms?.Count; index++)
                foreach (var (name, value) in route.Transforms[index])
                    if (TransformForm.All.GetValueOrDefault(name)?.Name is TransformName.Path or TransformName.Pattern)
                        CheckTransform(context, RouteKey.Of(route, $"Transforms:{index}:{name}"), value);
        }
    }

    private static void CheckTransform(RuleContext context, string key, string value)
    {
        if (context.HasErrorAt(key) || RoutePath.Parse(value.StartsWith('/') ? value : "/" + value) is not { } made || WordFor(made) is not { } found) return;
        context.Warning(key,
            $"is {Finding.Quote(value)}, in which {found} and stands for itself alone. "
            + "Write the path itself, or PathPattern with {name} and {**rest}, which Match:Path binds.");
    }

    // Only literals are examined, because a constraint may contain a regular expression. The joined text is examined too, because an expression
    // outside a parameter can span several segments.
    private static string? WordFor(RoutePattern path)
    {
        var segments = path.PathSegments.Select(
            segment => string.Concat(segment.Parts.Select(part => part is RoutePatternLiteralPart literal ? literal.Content : "/"))).ToArray();
        var texts = path.PathSegments.SelectMany(segment => segment.Parts.OfType<RoutePatternLiteralPart>()).Select(part => part.Content);
        return texts.Append(string.Join('/', segments)).Select(WordFor).FirstOrDefault(word => word is not null);
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

    // The expression must not match "$metadata", "items(7)" or "files:copy", which are used in real APIs.
    [GeneratedRegex(@"^\^|.\$$|\$[0-9]|\.\+|\\[dwsbDWSB.]|\[[^\]]*\]|\(\?|\([^)]*\|[^)]*\)|^~[ *]")]
    private static partial Regex Expression();
}
