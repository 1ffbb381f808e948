using System.Text;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>What a route's path says.</summary>
internal static class RoutePath
{
    /// <summary>The parameter that names the organization.</summary>
    public const string Organization = "organizationId";

    /// <summary>The path's pattern; null when there is no path or it is no pattern.</summary>
    public static RoutePattern? Parse(RouteConfig route)
    {
        if (route.Match.Path is not { } path) return null;
        try
        {
            return RoutePatternFactory.Parse(path);
        }
        catch (RoutePatternException)
        {
            return null;
        }
    }

    /// <summary>Whether there is a path that is no pattern: of what it would have taken nothing can be said.</summary>
    public static bool IsBroken(RouteConfig route) => route.Match.Path is not null && Parse(route) is null;

    /// <summary>Whether the path binds the organization, however the parameter is written.</summary>
    public static bool BindsOrganization(RouteConfig route) =>
        Parse(route)?.Parameters.Any(parameter => parameter.Name.Equals(Organization, StringComparison.OrdinalIgnoreCase)) == true;

    /// <summary>The path without what does not change which requests it takes: letters' case and parameters' names.</summary>
    public static string Normalize(RouteConfig route)
    {
        if (Parse(route) is not { } pattern) return route.Match.Path ?? "";
        var text = new StringBuilder();
        foreach (var segment in pattern.PathSegments)
        {
            text.Append('/');
            foreach (var part in segment.Parts)
                text.Append(part switch
                {
                    RoutePatternLiteralPart literal => literal.Content.ToUpperInvariant(),
                    RoutePatternSeparatorPart separator => separator.Content,
                    RoutePatternParameterPart parameter => WithoutName(parameter),
                    _ => "",
                });
        }

        return text.ToString();
    }

    private static string WithoutName(RoutePatternParameterPart parameter)
    {
        var constraints = string.Concat(parameter.ParameterPolicies.Select(policy => ":" + policy.Content));
        return $"{{{(parameter.IsCatchAll ? "*" : "")}{(parameter.IsOptional ? "?" : "")}{constraints}}}";
    }
}
