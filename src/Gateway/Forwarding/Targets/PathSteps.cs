using System.Text;
using Gateway.Edge;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Forwarding.Targets;

/// <summary>Changes an encoded path; null when the request yields no valid path for the service.</summary>
internal delegate string? PathStep(HttpRequest request, string path);

/// <summary>Applies YARP's path transforms to the path as the client encoded it. Unchanged parts keep their encoding.</summary>
internal static class PathSteps
{
    /// <summary>The steps of a route, in the configured order.</summary>
    public static PathStep[] Of(RouteConfig route) => [.. (route.Transforms ?? []).Select(Of).OfType<PathStep>()];

    private static PathStep? Of(IReadOnlyDictionary<string, string> transform)
    {
        if (Value(transform, "PathSet") is { } set) return (_, _) => set.Encoded;
        if (Value(transform, "PathPrefix") is { } prefix)
            return (_, path) => path.Length > 0 && prefix.Encoded.EndsWith('/') ? prefix.Encoded[..^1] + path : prefix.Encoded + path;
        if (Value(transform, "PathRemovePrefix") is { } removed) return (_, path) => WithoutPrefix(path, removed.Path);
        if (Value(transform, "PathPattern") is { } pattern)
        {
            var parsed = RoutePatternFactory.Parse(pattern.Path.Value!);
            return (request, _) => Fill(parsed, request.HttpContext);
        }

        return null;
    }

    private static (PathString Path, string Encoded)? Value(IReadOnlyDictionary<string, string> transform, string name)
    {
        if (!transform.TryGetValue(name, out var value)) return null;
        var path = new PathString(value.StartsWith('/') ? value : "/" + value);
        return (path, SentPath.Encode(path));
    }

    // RequestGuard rejects encoded slashes, so both paths have the same segments.
    private static string WithoutPrefix(string path, PathString prefix)
    {
        if (!new PathString(Uri.UnescapeDataString(path)).StartsWithSegments(prefix)) return path;
        var end = 0;
        foreach (var character in prefix.Value!)
        {
            if (character != '/') continue;
            end = path.IndexOf('/', end + 1);
            if (end < 0) return "";
        }

        return path[end..];
    }

    private static string? Fill(RoutePattern pattern, HttpContext context)
    {
        var path = new StringBuilder();
        foreach (var segment in pattern.PathSegments)
        {
            var text = string.Concat(segment.Parts.Select(part => part switch
            {
                RoutePatternLiteralPart literal => segment.IsSimple ? SentPath.Encode("/" + literal.Content)[1..] : Encoded(literal.Content),
                RoutePatternSeparatorPart separator => separator.Content,
                RoutePatternParameterPart parameter => ValueOf(parameter, context),
                _ => "",
            }));
            // A part of a segment may form a segment, such as `..`, that RequestGuard would reject as a whole: the service would read another path.
            if (RequestGuard.IsDotSegment(Uri.UnescapeDataString(text)) || (text.Length == 0 && segment.Parts.Any(IsNeeded))) return null;
            // The text is empty when an optional parameter or a catch-all has no value.
            if (text.Length > 0) path.Append('/').Append(text);
        }

        return path.Length == 0 ? "/" : path.ToString();
    }

    private static bool IsNeeded(RoutePatternPart part) => part is RoutePatternParameterPart { IsOptional: false, IsCatchAll: false, Default: null };

    // Encode would resolve a lone dot segment instead of encoding it.
    private static string Encoded(string part) => part is "." or ".." ? part : SentPath.Encode("/" + part)[1..];

    private static string ValueOf(RoutePatternParameterPart parameter, HttpContext context)
    {
        var value = SentPath.ParameterOf(context, parameter.Name)
            ?? Encoded(context.GetRouteValue(parameter.Name)?.ToString() ?? parameter.Default?.ToString() ?? "");
        return parameter is { IsCatchAll: true, EncodeSlashes: false } ? value : value.Replace("/", "%2F", StringComparison.Ordinal);
    }
}
