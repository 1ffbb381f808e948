using IotCredentials.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>Parses a route's path.</summary>
internal static class RoutePath
{
    /// <summary>The pattern that stands for a route without a path.</summary>
    public static RoutePattern Any { get; } = RoutePatternFactory.Parse("/{**catchall}");

    /// <summary>Returns the path's pattern, or null when there is no path or the path is invalid.</summary>
    public static RoutePattern? Parse(RouteConfig route) => string.IsNullOrEmpty(route.Match.Path) ? null : Parse(route.Match.Path);

    /// <summary>Returns a text's pattern, or null when the text is invalid.</summary>
    public static RoutePattern? Parse(string text)
    {
        try
        {
            return RoutePatternFactory.Parse(text);
        }
        catch (Exception exception) when (exception is RoutePatternException or InvalidOperationException or ArgumentException)
        {
            // If there are too many segments, the exception is not a RoutePatternException.
            return null;
        }
    }

    /// <summary>Returns the parameters that the path binds, by name.</summary>
    public static IReadOnlyDictionary<string, RoutePatternParameterPart> Parameters(RouteConfig route) =>
        (Parse(route) ?? Any).Parameters.ToDictionary(parameter => parameter.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>Describes the bound parameters for a message.</summary>
    public static string Bound(RouteConfig route) => Parameters(route).Keys.ToArray() is { Length: > 0 } names
        ? $"Match:Path binds {string.Join(", ", names.Select(name => $"{{{name}}}"))}"
        : "Match:Path binds no parameter";

    /// <summary>Whether there is a path that is not a valid pattern. It is unknown which requests it was meant to match.</summary>
    public static bool IsBroken(RouteConfig route) => !string.IsNullOrEmpty(route.Match.Path) && Parse(route) is null;

    /// <summary>Whether the path binds the organization. The parameter's case is ignored.</summary>
    public static bool BindsOrganization(RouteConfig route) =>
        Parse(route)?.Parameters.Any(parameter => parameter.Name.Equals(RouteOrganization.Parameter, StringComparison.OrdinalIgnoreCase)) == true;

    /// <summary>
    /// Returns the path's precedence. If two routes with the same Order match a request, the one with the lower precedence takes it.
    /// </summary>
    public static decimal Precedence(RouteConfig route) => (Parse(route) ?? Any).InboundPrecedence;

    /// <summary>Returns the path without letter case and parameter names, which do not affect which requests it matches.</summary>
    public static string Normalize(RouteConfig route) =>
        Parse(route) is { } pattern ? string.Concat(pattern.PathSegments.Select(segment => "/" + TextOf(segment))) : route.Match.Path ?? "";

    /// <summary>Returns the path's segments. A route without a path matches every request, so it has only the rest segment.</summary>
    public static IReadOnlyList<PathSegment> Segments(RouteConfig route)
    {
        if (Parse(route) is not { } pattern) return [new(PathSegmentKind.Rest, "", "")];
        var segments = new PathSegment[pattern.PathSegments.Count];
        var omittedIf = "";
        for (var index = segments.Length - 1; index >= 0; index--)
        {
            var segment = pattern.PathSegments[index];
            var parameter = segment.IsSimple ? segment.Parts[0] as RoutePatternParameterPart : null;
            var canBeOmitted = parameter is not null && (parameter.IsOptional || parameter.IsCatchAll || parameter.Default is not null);
            var isConstrained = parameter?.ParameterPolicies.Count > 0;
            // The router asks the constraints of a parameter that is left out, too: about its default, or about no text. An optional one's are not asked.
            omittedIf = !canBeOmitted || omittedIf is null ? null
                : isConstrained && !parameter!.IsOptional ? $"{TextOf(segment)}={parameter.Default}{omittedIf}"
                : omittedIf;
            var kind = parameter is { IsCatchAll: true } ? isConstrained ? PathSegmentKind.SomeRest : PathSegmentKind.Rest
                : parameter is null || isConstrained ? PathSegmentKind.Text
                : PathSegmentKind.Any;
            segments[index] = new(kind, TextOf(segment), omittedIf);
        }

        return segments;
    }

    private static string TextOf(RoutePatternPathSegment segment) => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart parameter => WithoutName(parameter),
        _ => "",
    }));

    private static string WithoutName(RoutePatternParameterPart parameter)
    {
        var constraints = string.Concat(parameter.ParameterPolicies.Select(policy => ":" + policy.Content));
        return $"{{{(parameter.IsCatchAll ? "*" : "")}{(parameter.IsOptional ? "?" : "")}{constraints}}}";
    }
}

/// <summary>The texts that a path segment matches.</summary>
internal enum PathSegmentKind
{
    /// <summary>Its literal text.</summary>
    Text,

    /// <summary>Any one segment.</summary>
    Any,

    /// <summary>All remaining segments, including none.</summary>
    Rest,

    /// <summary>The part of <see cref="Rest"/> that a constraint accepts.</summary>
    SomeRest,
}

/// <summary>A segment of a path.</summary>
/// <param name="Kind">The kind of texts that it matches.</param>
/// <param name="Text">The segment's normalized text. Segments with the same text match the same requests.</param>
/// <param name="OmittedIf">
/// The constraints that have to accept what is left out if a request's path ends before the segment: none if empty; null if no path may end there.
/// </param>
internal sealed record PathSegment(PathSegmentKind Kind, string Text, string? OmittedIf)
{
    /// <summary>Whether the path may end before it.</summary>
    public bool CanBeOmitted => OmittedIf is not null;
}
