using Gateway.Configuration.Rules.Paths;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Transforms;

/// <summary>Checks the paths in transforms. Each parameter must be bound by the route, and no character may be sent as a different one.</summary>
internal static class TransformPathRules
{
    private const string Pattern = "PathPattern";
    private const string RemovePrefix = "PathRemovePrefix";

    /// <summary>Checks the paths in every route's transforms.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            for (var index = 0; index < route.Transforms?.Count; index++)
                foreach (var (name, value) in route.Transforms[index])
                    if (TransformForm.All.GetValueOrDefault(name)?.Name is TransformName.Path or TransformName.Pattern)
                        Check(context, route, RouteKey.Of(route, $"Transforms:{index}:{name}"), name, value);
    }

    private static void Check(RuleContext context, RouteConfig route, string key, string name, string value)
    {
        if (string.IsNullOrWhiteSpace(value))
            context.Error(key, "is empty. Write a path, such as \"/api\".");
        else if (value.Contains('%', StringComparison.Ordinal))
            // YARP decodes escapes in one transform and escapes them again in others, so the path that arrives would differ from the one that the
            // rules checked.
            context.Error(key, $"is {Finding.Quote(value)}, and escapes are not read alike everywhere. "
                + "Write each character itself; the gateway escapes what a path cannot hold.");
        else if (value.Split('/').Any(static segment => segment is "." or ".."))
            context.Error(key, $"is {Finding.Quote(value)}: a segment . or .. can leave the path of the destination's address, and servers resolve it "
                + "at different times. Write the path without them.");
        else if (name.Equals(Pattern, StringComparison.OrdinalIgnoreCase))
            CheckPattern(context, route, key, value);
        else if (value.AsSpan().ContainsAny('{', '}'))
            context.Error(key, $"is {Finding.Quote(value)}, and {name} sends a brace as it stands. Write PathPattern, which puts the route's parameters in.");
        else if (value.Any(Alters))
            context.Error(key,
                $"is {Finding.Quote(value)}: in a path a question mark, #, backslash or control character would be sent escaped. {Query(value)}");
        else if (name.Equals(RemovePrefix, StringComparison.OrdinalIgnoreCase) && value.Length > 1 && value[^1] == '/')
            context.Error(key,
                $"is {Finding.Quote(value)}, and is removed from no path, since what is left begins with /. Write {Finding.Quote(value.TrimEnd('/'))}.");
    }

    private static void CheckPattern(RuleContext context, RouteConfig route, string key, string value)
    {
        if (RoutePath.Parse(value.StartsWith('/') ? value : "/" + value) is not { } pattern)
        {
            context.Error(key,
                $"is {Finding.Quote(value)}, which is not a route pattern: braces stand in pairs around a parameter's name, and a path has 28 segments at "
                + "most. Write such as \"/v1/{**rest}\".");
            return;
        }

        if (pattern.PathSegments.SelectMany(segment => segment.Parts).OfType<RoutePatternLiteralPart>().Any(part => part.Content.Any(Alters)))
            context.Error(key, $"is {Finding.Quote(value)}: in a path a #, backslash or control character would be sent escaped. {Query(value)}");
        if (RoutePath.IsBroken(route)) return;
        var bound = RoutePath.Parameters(route);
        foreach (var parameter in pattern.Parameters)
        {
            if (!bound.TryGetValue(parameter.Name, out var source))
            {
                if (parameter.Default is null)
                    context.Error(key, $"names {{{parameter.Name}}}, and {RoutePath.Bound(route)}: requests would arrive at another path. "
                        + "Name one of these, or bind it in Match:Path.");
            }
            else if (source.IsCatchAll && !(parameter.IsCatchAll && !parameter.EncodeSlashes) && !context.HasErrorAt(RouteKey.Of(route)))
            {
                context.Error(key,
                    $"names {{{parameter.Name}}}, which takes several segments: the slashes between them would be sent as %2F. Write {{**{parameter.Name}}}.");
            }
            else if (source.IsOptional && !parameter.IsOptional && !parameter.IsCatchAll && parameter.Default is null)
            {
                context.Error(key, $"needs {{{parameter.Name}}}, which a request may leave out, and such a request would arrive without any path. "
                    + $"Write {{{parameter.Name}?}}.");
            }
        }
    }

    private static bool Alters(char character) => character is '?' or '#' or '\\' || char.IsControl(character);

    private static string Query(string value) => value.Contains('?', StringComparison.Ordinal)
        ? "Write the query as a transform of its own, such as { \"QueryValueParameter\": \"name\", \"Set\": \"value\" }."
        : "Remove it.";
}
