using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Makes a 502 of a response under a transfer coding other than <c>chunked</c>. No other was asked for, and the HTTP client takes chunks off and nothing else:
/// the body would pass as it was coded, without the header that says so.
/// </summary>
internal sealed class TransferCodings : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context) => context.ResponseTransforms.Insert(0, new ResponseFuncTransform(static transform =>
    {
        // The forwarder makes a 502 of it.
        if (transform.ProxyResponse is { } response && !IsPlain(response)) throw new CodingException();
        return default;
    }));

    // `identity` is no coding, and written by servers of HTTP/1.1's first years.
    private static bool IsPlain(HttpResponseMessage response) =>
        !response.Headers.NonValidated.TryGetValues(HeaderNames.TransferEncoding, out var values)
        || string.Join(',', values).Trim() is var coding
            && (coding.Equals("chunked", StringComparison.OrdinalIgnoreCase) || coding.Equals("identity", StringComparison.OrdinalIgnoreCase));

    private sealed class CodingException : Exception;
}
