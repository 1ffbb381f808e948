using System.Net;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Lets a service's response pass only when it can be sent on as it is. Its status is one that ends an exchange (RFC 9110, 15): 200 to 599, and 101 where the
/// request asked to switch protocols. Its body is under no transfer coding but <c>chunked</c>: no other was asked for, and the HTTP client takes chunks off and
/// nothing else, so that the body would pass coded, without the header that says so. Any other response is 502.
/// </summary>
internal sealed class ForwardedResponses : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context) => context.ResponseTransforms.Insert(0, new ResponseFuncTransform(static transform =>
    {
        if (transform.ProxyResponse is not { } response) return default;
        // The forwarder makes a 502 of it.
        if (!HasUsableStatus(response) || !HasUsableCoding(response)) throw new UnusableResponseException();
        if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent) LeaveOutBody(transform);
        return default;
    }));

    // Neither status has content (RFC 9110, 15.3.5 and 15.3.6). A service that announces some all the same would make Kestrel fail, which sends none.
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

    // `identity` is no coding, and written by servers of HTTP/1.1's first years.
    private static bool HasUsableCoding(HttpResponseMessage response) =>
        !response.Headers.NonValidated.TryGetValues(HeaderNames.TransferEncoding, out var values)
        || string.Join(',', values).Trim() is var coding
            && (coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) || coding.Equals("identity", StringComparison.OrdinalIgnoreCase));

    private sealed class UnusableResponseException : Exception;
}
