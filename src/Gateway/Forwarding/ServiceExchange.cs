using Gateway.Forwarding.Connections;
using Microsoft.Net.Http.Headers;

namespace Gateway.Forwarding;

/// <summary>Sends each request to a service once, and keeps what is between the gateway and the service alone from what either side passes on.</summary>
/// <param name="handler">The client's handler.</param>
/// <param name="singleUse">A client whose connections are each for one request.</param>
internal sealed class ServiceExchange(HttpMessageHandler handler, HttpMessageInvoker singleUse) : DelegatingHandler(handler)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // When a connection closes before the response, the HTTP client sends a request without a body again, up to three times and whatever its method. A POST
        // must not happen twice. A request with a body, even an empty one, is sent once, and both are the same on the wire.
        if (request.Content is null && !Retries.IsIdempotent(request.Method.Method) && request.Method != HttpMethod.Connect)
            request.Content = new ByteArrayContent([]);

        // A service may send a body after HEAD all the same, and late. The next request on the connection would get it as its response.
        var response = request.Method == HttpMethod.Head && MayBeHttp1(request)
            ? await singleUse.SendAsync(request, cancellationToken)
            : await base.SendAsync(request, cancellationToken);
        RemoveNamed(response);
        // Kestrel writes it as it is. Without one, the response has its status's own.
        if (response.ReasonPhrase.AsSpan().ContainsAnyExceptInRange(' ', '~')) response.ReasonPhrase = null;
        return response;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) singleUse.Dispose();
        base.Dispose(disposing);
    }

    // HTTP/2 keeps the responses of a connection in streams of their own.
    private static bool MayBeHttp1(HttpRequestMessage request) =>
        request.Version.Major < 2 || request.VersionPolicy == HttpVersionPolicy.RequestVersionOrLower;

    // The headers that Connection names are for this hop only (RFC 9110, 7.6.1).
    private static void RemoveNamed(HttpResponseMessage response)
    {
        if (!response.Headers.NonValidated.TryGetValues(HeaderNames.Connection, out var values)) return;
        foreach (var name in ConnectionOptions.NamesIn(values))
        {
            if (response.Headers.NonValidated.Contains(name)) response.Headers.Remove(name);
            else if (response.Content.Headers.NonValidated.Contains(name)) response.Content.Headers.Remove(name);
        }
    }
}
