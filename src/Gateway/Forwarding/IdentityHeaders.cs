using System.Collections.Frozen;
using System.Diagnostics;
using CredentialModule.Http;
using Gateway.Authentication;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// What a downstream service learns of a request from the gateway, and from the gateway alone: who calls, for which organization, under
/// which request id. A client's own headers of that kind never arrive.
/// </summary>
internal sealed class IdentityHeaders : ITransformProvider
{
    private static readonly string[] s_prefixes = ["x-gateway-", "x-forwarded-", "x-original-", "x-rewrite-", "x-auth-request-", "x-ms-client-principal", "x-amzn-oidc-"];

    private static readonly string[] s_own = ["X-Request-Id", "X-Gateway-Subject", "X-Gateway-Issuer", "X-Gateway-Organization"];

    private static readonly HashSet<string> s_names = new(StringComparer.Ordinal)
    {
        "forwarded", "x-real-ip", "x-client-ip", "true-client-ip", "x-http-method", "x-http-method-override", "x-method-override", "remote-user", "x-request-id", "baggage", "correlation-context", "x-forwarded",
        "x-arr-clientcert",
    };

    // What is said to the next server and nobody behind it. And what, after the same mapping, would be a second word on the body's length or
    // send a service's own requests elsewhere.
    private static readonly HashSet<string> s_ofOneHop = new(StringComparer.Ordinal)
    {
        "expect", "http2-settings", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "content-length", "x-content-length", "transfer-encoding", "proxy",
    };

    // Of what Connection may hold, the words that name no header to leave out.
    private static readonly HashSet<string> s_connectionOptions = new(StringComparer.OrdinalIgnoreCase) { "close", "keep-alive", "upgrade" };

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        var forwardsAuthorization = Says(context, "ForwardAuthorization");
        var forwardsCookies = Says(context, "ForwardCookies");

        // First, so that what operators and YARP set afterwards stays.
        context.RequestTransforms.Insert(0, new RequestFuncTransform(transform =>
        {
            RemoveForged(transform.ProxyRequest, transform.HttpContext.Request.Headers.Connection);
            if (!forwardsAuthorization) transform.ProxyRequest.Headers.Remove("Authorization");
            if (!forwardsCookies) transform.ProxyRequest.Headers.Remove("Cookie");
            return default;
        }));
        context.AddRequestTransform(transform =>
        {
            Identify(transform);
            return default;
        });
    }

    private static bool Says(TransformBuilderContext context, string name) => context.Route.Metadata?.GetValueOrDefault(name) == "true";

    private static void RemoveForged(HttpRequestMessage request, StringValues connection)
    {
        var named = Named(connection);
        List<string>? removed = null;
        foreach (var header in request.Headers.NonValidated)
        {
            if ((!s_usual.Contains(header.Key) && (IsForged(header.Key) || Is(header.Key, s_ofOneHop))) || named?.Contains(header.Key) == true) (removed ??= []).Add(header.Key);
        }

        foreach (var name in removed ?? []) request.Headers.Remove(name);
    }

    // A client's headers for this hop alone, as far as Kestrel tells: beside `close` it keeps no other word. The gateway's own are set afterwards,
    // whatever their names.
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

    /// <summary>Whether a header of that name would say what the gateway alone says.</summary>
    public static bool IsForged(string name) => Is(name, s_names, s_prefixes);

    // What nearly every request has, and nobody takes for another name.
    private static readonly FrozenSet<string> s_usual = FrozenSet.ToFrozenSet(
        ["Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Content-Type", "Cookie", "Host", "Origin", "Pragma", "Referer", "User-Agent", "traceparent", "tracestate"],
        StringComparer.OrdinalIgnoreCase);

    // Servers behind map headers to variables, where `X_Gateway.Subject` and `X-Gateway-Subject` are one.
    private static bool Is(string name, HashSet<string> names, params ReadOnlySpan<string> prefixes)
    {
        Span<char> mapped = stackalloc char[Math.Min(name.Length, 64)];
        for (var i = 0; i < mapped.Length; i++) mapped[i] = char.IsAsciiLetterOrDigit(name[i]) ? char.ToLowerInvariant(name[i]) : '-';
        foreach (var prefix in prefixes)
        {
            if (mapped.StartsWith(prefix, StringComparison.Ordinal)) return true;
        }

        return name.Length <= mapped.Length && names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(mapped);
    }

    private static void Identify(RequestTransformContext transform)
    {
        var context = transform.HttpContext;
        var headers = transform.ProxyRequest.Headers;
        foreach (var name in s_own) headers.Remove(name);
        headers.TryAddWithoutValidation("X-Request-Id", Activity.Current?.TraceId.ToHexString() ?? context.TraceIdentifier);
        if (CallerIdentity.Of(context.User) is not { } caller) return;
        headers.TryAddWithoutValidation("X-Gateway-Subject", HeaderValue(caller.Subject));
        headers.TryAddWithoutValidation("X-Gateway-Issuer", HeaderValue(caller.Issuer));
        if (context.GetEndpoint()?.Metadata.GetMetadata<MembershipProven>() is not null && context.GetRouteValue(RouteOrganization.Parameter) is string organization)
            headers.TryAddWithoutValidation("X-Gateway-Organization", organization);
    }

    // A subject is whatever its issuer made of it: what is no plain header text is percent-encoded, and `%` with it.
    private static string HeaderValue(string text)
    {
        foreach (var character in text)
        {
            if (character is <= ' ' or > '~' or '%') return Uri.EscapeDataString(text);
        }

        return text;
    }
}
