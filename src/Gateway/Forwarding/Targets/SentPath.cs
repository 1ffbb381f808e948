using IotCredentials.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding.Targets;

/// <summary>Reads the path of a request as the client encoded it.</summary>
internal static class SentPath
{
    /// <summary>
    /// The path without the query. The organization's segment alone is encoded again from its authorized value, so that no service reads another id than the
    /// gateway did.
    /// </summary>
    public static string Of(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        // The target is `*`, which addresses the server as a whole.
        if (!target.StartsWith('/')) return Encode(context.Request.Path);
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        if (!path.Contains('%', StringComparison.Ordinal)) return path;
        if (PatternOf(context) is not { } pattern || IndexOf(RouteOrganization.Parameter, pattern) is not { } index) return path;

        var segments = path[1..].Split('/');
        if (index < segments.Length) segments[index] = Encode("/" + Uri.UnescapeDataString(segments[index]))[1..];
        return "/" + string.Join('/', segments);
    }

    /// <summary>A route parameter as the client encoded it; null when the parameter is not a whole segment of the path, or is missing.</summary>
    public static string? ParameterOf(HttpContext context, string name)
    {
        if (PatternOf(context) is not { } pattern || IndexOf(name, pattern) is not { } index || !pattern.PathSegments[index].IsSimple) return null;
        var segments = Of(context).TrimStart('/').Split('/');
        // A trailing slash is no segment: the parameter has its default value, if any.
        if (index >= segments.Length || segments[index].Length == 0) return null;
        return ((RoutePatternParameterPart)pattern.PathSegments[index].Parts[0]).IsCatchAll ? string.Join('/', segments[index..]) : segments[index];
    }

    /// <summary>Encodes a path that did not come from the client, as YARP does.</summary>
    public static string Encode(PathString path) =>
        path.HasValue ? RequestUtilities.MakeDestinationAddress("http://any", path, QueryString.Empty).AbsolutePath : "";

    private static RoutePattern? PatternOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern;

    private static int? IndexOf(string parameter, RoutePattern pattern)
    {
        for (var index = 0; index < pattern.PathSegments.Count; index++)
        {
            foreach (var part in pattern.PathSegments[index].Parts)
            {
                if (part is RoutePatternParameterPart { Name: var name } && name.Equals(parameter, StringComparison.OrdinalIgnoreCase)) return index;
            }
        }

        return null;
    }
}
