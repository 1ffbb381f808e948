using System.Collections.Frozen;
using Gateway.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: what a route passes on of the headers that are otherwise removed, and what it removes besides.</summary>
internal sealed class ForwardedClientHeaders
{
    private readonly FrozenSet<string> _names;
    private readonly HeaderPatterns? _ofTransforms;

    public ForwardedClientHeaders(RouteConfig route)
    {
        var metadata = RouteMetadata.Of(route);
        Authorization = metadata.ForwardAuthorization;
        Cookies = metadata.ForwardCookies;
        _names = NamesIn(metadata.ForwardHeaders).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        // X-Forwarded-* by another name: what the gateway appends there must not follow what a client made up.
        var prefixes = (route.Transforms ?? [])
            .Where(static transform => transform.ContainsKey("X-Forwarded"))
            .Select(static transform => transform.GetValueOrDefault("HeaderPrefix"))
            .OfType<string>().ToArray();
        if (prefixes.Length > 0)
            _ofTransforms = new(prefixes.SelectMany(static prefix => (string[])[prefix + "For", prefix + "Host", prefix + "Proto", prefix + "Prefix"]));
    }

    public bool Authorization { get; }

    public bool Cookies { get; }

    /// <summary>Whether a client's header of that name is removed.</summary>
    public bool IsRemoved(string name) =>
        ReservedHeaders.IsRemovedAlways(name) || (ReservedHeaders.IsRemovedByDefault(name) && !_names.Contains(name)) || _ofTransforms?.Contains(name) == true;

    /// <summary>The header names of a list that commas separate.</summary>
    public static string[] NamesIn(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>
/// Takes what is not a client's to say off its request, before YARP copies the request or a transform reads it. So no transform, whichever the
/// operator writes, can bring a client's own value back.
/// </summary>
internal static class ClientHeaders
{
    // What nearly every request has, and no server takes for another name.
    private static readonly FrozenSet<string> s_usual = FrozenSet.ToFrozenSet(
        ["Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Host", "Origin", "Pragma", "Referer", "Sec-Fetch-User", "User-Agent"],
        StringComparer.OrdinalIgnoreCase);

    // Kestrel and YARP read these to frame the body, to upgrade and to send 100. They are not sent on as they are: YARP does not copy them, or IdentityHeaders
    // removes them from what is sent. Via is read once more to be continued.
    private static readonly FrozenSet<string> s_framing = FrozenSet.ToFrozenSet(
        ["Connection", "Content-Length", "Content-Type", "Expect", "Host", "TE", "Transfer-Encoding", "Upgrade", "Via"], StringComparer.OrdinalIgnoreCase);

    // Of what Connection may hold, the words that name no header to leave out.
    private static readonly FrozenSet<string> s_connectionOptions = FrozenSet.ToFrozenSet(["close", "keep-alive", "upgrade"], StringComparer.OrdinalIgnoreCase);

    /// <summary>After session affinity, which reads a cookie that is removed here.</summary>
    public static void UseClientHeaders(this IApplicationBuilder pipeline) => pipeline.Use(static (context, next) =>
    {
        Remove(context.Request.Headers, context.GetEndpoint()!.Metadata.GetRequiredMetadata<ForwardedClientHeaders>());
        return next(context);
    });

    private static void Remove(IHeaderDictionary headers, ForwardedClientHeaders forwarded)
    {
        if (!forwarded.Authorization) headers.Authorization = default;
        if (!forwarded.Cookies) headers.Cookie = default;
        var named = Named(headers.Connection);
        List<string>? removed = null;
        foreach (var (name, _) in headers)
        {
            if (s_framing.Contains(name)) continue;
            if ((!s_usual.Contains(name) && forwarded.IsRemoved(name)) || named?.Contains(name) == true) (removed ??= []).Add(name);
        }

        foreach (var name in removed ?? []) headers.Remove(name);
    }

    // Headers for this hop alone. ConnectionWords makes Kestrel keep them.
    private static HashSet<string>? Named(StringValues connection)
    {
        HashSet<string>? named = null;
        foreach (var value in connection)
        {
            foreach (var option in (value ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!s_connectionOptions.Contains(option)) (named ??= new(StringComparer.OrdinalIgnoreCase)).Add(option);
            }
        }

        return named;
    }
}
