using System.Net;
using Gateway.Edge;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Passes a service's response on only if it can be sent unchanged. Its status must end an exchange (RFC 9110, 15): 200 to 599, or 101 if the request asked to
/// switch protocols. Its only transfer coding may be <c>chunked</c>: no other was requested, and the HTTP client removes only chunks, so the body would pass
/// still coded, without the header that names the coding. Its body must have its <c>Content-Length</c>. Any other response becomes a 502, or is cut.
/// </summary>
internal sealed class ForwardedResponses : ITransformProvider
{
    private static readonly string[] s_noTrailers =
    [
        "X-Request-Id", HeaderNames.Server, HeaderNames.StrictTransportSecurity, HeaderNames.Connection, HeaderNames.ProxyConnection, HeaderNames.KeepAlive,
        HeaderNames.TE, HeaderNames.Trailer, HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.ContentLength,
    ];

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        context.ResponseTransforms.Insert(0, new ResponseFuncTransform(Check));
        context.ResponseTrailersTransforms.Insert(0, new ResponseTrailersFuncTransform(RemoveTrailers));
    }

    private static ValueTask Check(ResponseTransformContext transform)
    {
        if (transform.ProxyResponse is not { } response) return default;
        // The forwarder turns this exception into a 502.
        if (!HasUsableStatus(response) || !HasUsableCoding(response)) throw new UnusableResponseException();
        if (transform.HttpContext.Request.Body is ReceivedStream { IsReceived: false }) transform.HttpContext.Features.Set(EarlyResponse.Instance);
        if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent) LeaveOutBody(transform);
        else if (response.StatusCode is HttpStatusCode.NotModified) transform.SuppressResponseBody = true;
        else if (LengthToCheck(response) is { } length) response.Content = new CheckedContent(response.Content, length);
        // Over HTTP/1.1 a response has no trailers, so none is announced.
        if (!transform.HttpContext.Response.SupportsTrailers()) transform.HttpContext.Response.Headers.Remove(HeaderNames.Trailer);
        return default;
    }

    // The names that the gateway removes from headers or sets itself, and those that are for one hop.
    private static ValueTask RemoveTrailers(ResponseTrailersTransformContext transform)
    {
        if (transform.HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is not { IsReadOnly: false } trailers) return default;
        foreach (var name in s_noTrailers) trailers.Remove(name);
        return default;
    }

    // Over HTTP/1.1 the HTTP client checks it.
    private static long? LengthToCheck(HttpResponseMessage response) =>
        response.Version.Major >= 2 && response.RequestMessage?.Method is { } method && method != HttpMethod.Head && method != HttpMethod.Connect
            ? response.Content.Headers.ContentLength : null;

    // Neither status has content (RFC 9110, 15.3.5 and 15.3.6). If a service announces some, Kestrel would fail, because it sends none.
    private static void LeaveOutBody(ResponseTransformContext transform)
    {
        transform.SuppressResponseBody = true;
        transform.HttpContext.Response.Headers.ContentLength = null;
        transform.HttpContext.Response.Headers.Remove(HeaderNames.TransferEncoding);
    }

    private static bool HasUsableStatus(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols
            ? response.RequestMessage?.Headers.NonValidated.Contains(HeaderNames.Upgrade) == true
            : (int)response.StatusCode is >= 200 and <= 599;

    // `identity` means no coding; early HTTP/1.1 servers write it.
    private static bool HasUsableCoding(HttpResponseMessage response) =>
        !response.Headers.NonValidated.TryGetValues(HeaderNames.TransferEncoding, out var values)
        || string.Join(',', values).Trim() is var coding
            && (coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) || coding.Equals("identity", StringComparison.OrdinalIgnoreCase));

    private sealed class UnusableResponseException : Exception;
}

/// <summary>Feature of a request that its service answered before it had read the whole body.</summary>
internal sealed class EarlyResponse
{
    public static readonly EarlyResponse Instance = new();

    private EarlyResponse() { }

    /// <summary>Whether a failure of a request is only that the rest of its body was not sent: the service's response stands.</summary>
    public static bool Stands(HttpContext context, IForwarderErrorFeature failure) =>
        failure.Error is ForwarderError.RequestBodyCanceled or ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination
        && context.Features.Get<EarlyResponse>() is not null;
}
