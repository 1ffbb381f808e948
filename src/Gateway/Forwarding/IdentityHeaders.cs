using Gateway.Authentication;
using Gateway.Forwarding.Connections;
using Gateway.Forwarding.Headers;
using IotCredentials.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Sets the headers that a service receives from the gateway alone: the caller, the organization, the request id, and <c>Via</c>. A client's own headers of
/// that kind were removed by <see cref="ClientHeaders"/>.
/// </summary>
internal sealed class IdentityHeaders(GatewayName gateway) : ITransformProvider
{
    // Headers for this hop only. A transform that allows them by name would copy them.
    private static readonly string[] s_ofOneHop =
        [HeaderNames.Connection, HeaderNames.Upgrade, HeaderNames.Expect, HeaderNames.TE, HeaderNames.TransferEncoding];

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        // The gateway's own transforms add none of these headers.
        var hasTransforms = context.Route.Transforms is { Count: > 0 };
        SetForwardedFirst(context);
        context.AddRequestTransform(transform =>
        {
            foreach (var name in s_ofOneHop) Remove(transform, name, hasTransforms);
            if (AsksBeforeItsBody(transform.HttpContext.Request)) transform.ProxyRequest.Headers.ExpectContinue = true;
            Identify(transform, hasTransforms);
            CallerConnections.SetContext(transform);
            return default;
        });
    }

    // Without the expectation the HTTP client reads no response before it has sent the whole body, and a service's early refusal would be lost. Until the body
    // is asked for, the client may send the request again: only those that may happen twice.
    private static bool AsksBeforeItsBody(HttpRequest request) =>
        request.Headers.Expect.Count > 0 && string.Equals(request.Headers.Expect, "100-continue", StringComparison.OrdinalIgnoreCase)
        && Retries.IsIdempotent(request.Method)
        && request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };

    // YARP adds its default X-Forwarded-* after the operator's transforms, and would overwrite what these set.
    private static void SetForwardedFirst(TransformBuilderContext context)
    {
        if (context.UseDefaultForwarders == false) return;
        var earlier = context.RequestTransforms.ToArray();
        context.RequestTransforms.Clear();
        context.AddXForwarded();
        foreach (var transform in earlier) context.RequestTransforms.Add(transform);
    }

    private void Identify(RequestTransformContext transform, bool hasTransforms)
    {
        var context = transform.HttpContext;
        Set("X-Request-Id", context.TraceIdentifier);
        Set(HeaderNames.Via, gateway.ContinuedVia(context.Request));
        var caller = CallerIdentity.Of(context.User);
        Set("X-Gateway-Subject", HeaderValue(caller?.Subject));
        Set("X-Gateway-Issuer", HeaderValue(caller?.Issuer));
        var isMember = caller is not null && context.GetEndpoint()?.Metadata.GetMetadata<MembershipProven>() is not null;
        Set("X-Gateway-Organization", isMember ? context.GetRouteValue(RouteOrganization.Parameter) as string : null);

        void Set(string name, string? value)
        {
            Remove(transform, name, hasTransforms);
            if (value is not null) transform.ProxyRequest.Headers.TryAddWithoutValidation(name, value);
        }
    }

    // An outgoing header comes from the client's request or from a transform in the configuration. Looking for it there is cheaper than removing it.
    private static void Remove(RequestTransformContext transform, string name, bool hasTransforms)
    {
        if (hasTransforms || transform.HttpContext.Request.Headers.ContainsKey(name)) transform.ProxyRequest.Headers.Remove(name);
    }

    // An issuer may choose any text as the subject. If it is not plain header text, it is percent-encoded, and `%` with it.
    private static string? HeaderValue(string? text)
    {
        foreach (var character in text.AsSpan())
        {
            if (character is <= ' ' or > '~' or '%') return Uri.EscapeDataString(text!);
        }

        return text;
    }
}
