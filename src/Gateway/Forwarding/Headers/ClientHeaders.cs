using System.Collections.Frozen;
using Gateway.Authentication;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Forwarding.Connections;
using Gateway.Networking;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Forwarding.Headers;

/// <summary>Endpoint metadata: the headers that a route passes on although they are removed by default, and the headers that it removes in addition.</summary>
internal sealed class ForwardedClientHeaders
{
    private readonly FrozenSet<string> _names;
    private readonly HeaderPatterns? _ofTransforms;
    private readonly HeaderPatterns? _ofKeys;

    /// <param name="route">The route.</param>
    /// <param name="keyHeader">The header that holds API keys; null when none are accepted.</param>
    public ForwardedClientHeaders(RouteConfig route, string? keyHeader)
    {
        _ofKeys = keyHeader is null ? null : new(keyHeader);
        var metadata = RouteMetadata.Of(route);
        Authorization = metadata.ForwardAuthorization;
        Cookies = metadata.ForwardCookies;
        _names = NamesIn(metadata.ForwardHeaders).ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        // The transforms may give X-Forwarded-* another name. There, too, the gateway must not append its values to a client's.
        var prefixes = (route.Transforms ?? [])
            .Where(static transform => transform.ContainsKey("X-Forwarded"))
            .Select(static transform => transform.GetValueOrDefault("HeaderPrefix"))
            .OfType<string>().ToArray();
        if (prefixes.Length > 0)
            _ofTransforms = new(prefixes.SelectMany(static prefix => (string[])[prefix + "For", prefix + "Host", prefix + "Proto", prefix + "Prefix"]));
    }

    public bool Authorization { get; }

    public bool Cookies { get; }

    /// <summary>Whether a client's header with that name is removed.</summary>
    public bool IsRemoved(string name) =>
        ReservedHeaders.IsRemovedAlways(name) || (ReservedHeaders.IsRemovedByDefault(name) && !_names.Contains(name))
        || _ofKeys?.Contains(name) == true || _ofTransforms?.Contains(name) == true;

    /// <summary>Splits a comma-separated list of header names.</summary>
    public static string[] NamesIn(string? list) => (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>
/// Removes the headers that a client must not set, before YARP copies the request or a transform reads it. So no transform in the configuration can restore a
/// client's own value.
/// </summary>
internal static class ClientHeaders
{
    private const int LongestKeyHeader = 64;

    // Headers of nearly every request, which no server takes for another name.
    private static readonly FrozenSet<string> s_usual = FrozenSet.ToFrozenSet(
        [
            "Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type", "Host",
            "Origin", "Pragma", "Referer", "Sec-Fetch-User", "User-Agent"
        ],
        StringComparer.OrdinalIgnoreCase);

    // Kestrel and YARP read these to frame the body, to upgrade and to send 100. They are not sent on as they are: YARP does not copy them, or IdentityHeaders
    // removes them from the outgoing request. Via is read again, to be continued.
    private static readonly FrozenSet<string> s_framing = FrozenSet.ToFrozenSet(
        ["Connection", "Content-Length", "Content-Type", "Expect", "Host", "TE", "Transfer-Encoding", "Upgrade", "Via"], StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a header can hold API keys: one that nobody else reads, and that is removed here.</summary>
    public static bool MayHoldKeys(string name) =>
        // A pattern is compared whole up to its own limit, and `*` in it means any text.
        HttpToken.Is(name) && name.Length <= LongestKeyHeader && !name.Contains('*', StringComparison.Ordinal)
        && !s_usual.Contains(name) && !s_framing.Contains(name) && !ReservedHeaders.IsRemovedAlways(name)
        && name.ToUpperInvariant() is not ("AUTHORIZATION" or "COOKIE");

    /// <summary>Removes the headers. It runs after session affinity, which reads a cookie that is removed here.</summary>
    public static void UseClientHeaders(this IApplicationBuilder pipeline)
    {
        var snapshots = pipeline.ApplicationServices.GetRequiredService<SnapshotConfigurationProvider>();
        pipeline.Use((context, next) =>
        {
            var headers = context.Request.Headers;
            // After a reload this is the new header's name before the endpoints are replaced.
            if (snapshots.Current.Options.Authentication.KeyHeader is { } ofKeys) headers.Remove(ofKeys);
            var forwarded = context.GetEndpoint()!.Metadata.GetRequiredMetadata<ForwardedClientHeaders>();
            // A service behind a route that needs a caller takes the header for checked. Beside an API key it can be one that was not: Basic, DPoP, any text.
            if (!forwarded.Authorization || (!BearerToken.WasSent(context.Request) && !BearerAuthentication.IsForAnyone(context)))
                headers.Authorization = default;
            Remove(headers, forwarded);
            return next(context);
        });
    }

    private static void Remove(IHeaderDictionary headers, ForwardedClientHeaders forwarded)
    {
        if (!forwarded.Cookies) headers.Cookie = default;
        // ConnectionWords makes Kestrel keep the names.
        var named = headers.Connection.Count > 0 && ConnectionOptions.NamesIn(headers.Connection) is { Count: > 0 } names
            ? names.ToHashSet(StringComparer.OrdinalIgnoreCase)
            : null;
        List<string>? removed = null;
        foreach (var (name, _) in headers)
        {
            if (s_framing.Contains(name)) continue;
            if ((!s_usual.Contains(name) && forwarded.IsRemoved(name)) || named?.Contains(name) == true) (removed ??= []).Add(name);
        }

        foreach (var name in removed ?? []) headers.Remove(name);
    }
}
