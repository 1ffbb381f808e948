using CredentialModule.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>What a route's path says.</summary>
internal static class RoutePath
{
    /// <summary>The pattern of a route without a path.</summary>
    public static RoutePattern Any { get; } = RoutePatternFactory.Parse("/{**catchall}");

    /// <summary>The path's pattern; null when there is no path or it is no pattern.</summary>
    public static RoutePattern? Parse(RouteConfig route) => string.IsNullOrEmpty(route.Match.Path) ? null : Parse(route.Match.Path);

    /// <summary>A text's pattern; null when it is none.</summary>
    public static RoutePattern? Parse(string text)
    {
        try
        {
            return RoutePatternFactory.Parse(text);
        }
        catch (Exception exception) when (exception is RoutePatternException or InvalidOperationException or ArgumentException)
        {
            // Too many segments are not the parser's exception.
            return null;
        }
    }

    /// <summary>The parameters that the path binds, by name.</summary>
    public static IReadOnlyDictionary<string, RoutePatternParameterPart> Parameters(RouteConfig route) =>
        (Parse(route) ?? Any).Parameters.ToDictionary(parameter => parameter.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>The same in words.</summary>
    public static string Bound(RouteConfig route) => Parameters(route).Keys.ToArray() is { Length: > 0 } names
        ? $"Match:Path binds {string.Join(", ", names.Select(name => $"{{{name}}}"))}"
        : "Match:Path binds no parameter";

    /// <summary>Whether there is a path that is no pattern: of what it would have taken nothing can be said.</summary>
    public static bool IsBroken(RouteConfig route) => !string.IsNullOrEmpty(route.Match.Path) && Parse(route) is null;

    /// <summary>Whether the path binds the organization, however the parameter is written.</summary>
    public static bool BindsOrganization(RouteConfig route) =>
        Parse(route)?.Parameters.Any(parameter => parameter.Name.Equals(RouteOrganization.Parameter, StringComparison.OrdinalIgnoreCase)) == true;

    /// <summary>How specific the path is: of two routes with one Order that match a request, the lower takes it.</summary>
    public static decimal Precedence(RouteConfig route) => (Parse(route) ?? Any).InboundPrecedence;

    /// <summary>The path without what does not change which requests it takes: letters' case and parameters' names.</summary>
    public static string Normalize(RouteConfig route) =>
        Parse(route) is { } pattern ? string.Concat(pattern.PathSegments.Select(segment => "/" + TextOf(segment))) : route.Match.Path ?? "";

    /// <summary>The path's segments; of a route without a path, which takes every one, the rest alone.</summary>
    public static IReadOnlyList<PathSegment> Segments(RouteConfig route)
    {
        if (Parse(route) is not { } pattern) return [new(PathSegmentKind.Rest, "", true)];
        var segments = new PathSegment[pattern.PathSegments.Count];
        var canEnd = true;
        for (var index = segments.Length - 1; index >= 0; index--)
        {
            var segment = pattern.PathSegments[index];
            var parameter = segment.IsSimple ? segment.Parts[0] as RoutePatternParameterPart : null;
            canEnd &= parameter is not null && (parameter.IsOptional || parameter.IsCatchAll || parameter.Default is not null);
            var isConstrained = parameter?.ParameterPolicies.Count > 0;
            var kind = parameter is { IsCatchAll: true } ? isConstrained ? PathSegmentKind.SomeRest : PathSegmentKind.Rest
                : parameter is null || isConstrained ? PathSegmentKind.Text
                : PathSegmentKind.Any;
            segments[index] = new(kind, TextOf(segment), canEnd);
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

/// <summary>What a segment of a path takes.</summary>
internal enum PathSegmentKind
{
    /// <summary>What its text says.</summary>
    Text,

    /// <summary>Any one segment.</summary>
    Any,

    /// <summary>All segments that are left, and none.</summary>
    Rest,

    /// <summary>Of what <see cref="Rest"/> takes, what a constraint lets through.</summary>
    SomeRest,
}

/// <summary>A segment of a path.</summary>
/// <param name="Kind">What it takes.</param>
/// <param name="Text">The segment as far as it changes what is taken: the same for the same.</param>
/// <param name="CanBeOmitted">Whether the path may end before it.</param>
internal sealed record PathSegment(PathSegmentKind Kind, string Text, bool CanBeOmitted);
