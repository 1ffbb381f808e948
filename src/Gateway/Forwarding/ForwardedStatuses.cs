using System.Net;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Lets a service's status pass only when it is one that ends an exchange (RFC 9110, 15): 200 to 599, and 101 where the request asked to switch protocols. Any other is 502.
/// </summary>
internal sealed class ForwardedStatuses : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context) => context.ResponseTransforms.Insert(0, new ResponseFuncTransform(static transform =>
    {
        // The forwarder makes a 502 of it.
        if (transform.ProxyResponse is { } response && !IsOne(response)) throw new StatusException();
        if (transform.ProxyResponse?.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.ResetContent) LeaveOutBody(transform);
        return default;
    }));

    // Neither status has content (RFC 9110, 15.3.5 and 15.3.6). A service that announces some all the same would make Kestrel fail, which sends none.
    private static void LeaveOutBody(ResponseTransformContext transform)
    {
        transform.SuppressResponseBody = true;
        transform.HttpContext.Response.Headers.ContentLength = null;
        transform.HttpContext.Response.Headers.Remove(HeaderNames.TransferEncoding);
    }

    private static bool IsOne(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols
            ? response.RequestMessage?.Headers.NonValidated.Contains(HeaderNames.Upgrade) == true
            : (int)response.StatusCode is >= 200 and <= 599;

    private sealed class StatusException : Exception;
}
