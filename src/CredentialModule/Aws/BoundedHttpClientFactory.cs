using System.Net;
using Amazon.Runtime;

namespace IotCredentials.Aws;

/// <summary>
/// Makes the HTTP clients of the SDK as the SDK's <see cref="HttpRequestMessageFactory"/> does, with a bound on the length of responses, which the SDK reads to
/// their end.
/// </summary>
internal sealed class BoundedHttpClientFactory : HttpClientFactory
{
    internal const int LongestResponse = 256 * 1024;

    public override HttpClient CreateHttpClient(IClientConfig clientConfig)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = clientConfig.AllowAutoRedirect, AutomaticDecompression = DecompressionMethods.None };
        if (clientConfig.MaxConnectionsPerServer is { } most) handler.MaxConnectionsPerServer = most;
        if (clientConfig.ConnectTimeout is { } connect) handler.ConnectTimeout = connect;
        if (clientConfig.GetWebProxy() is { } proxy) handler.Proxy = proxy;
        if (handler.Proxy is { } used && clientConfig.ProxyCredentials is { } credentials) used.Credentials = credentials;
        var client = new HttpClient(new BoundedHandler { InnerHandler = handler });
        if (clientConfig.Timeout is { } timeout) client.Timeout = timeout;
        return client;
    }

    /// <summary>The SDK keeps one client for all configurations with the same text.</summary>
    public override string GetConfigUniqueString(IClientConfig clientConfig) =>
        $"{typeof(BoundedHttpClientFactory)} {clientConfig.AllowAutoRedirect} {clientConfig.MaxConnectionsPerServer} {clientConfig.Timeout} {clientConfig.ConnectTimeout} "
        + $"{clientConfig.ProxyHost}:{clientConfig.ProxyPort}";

    private sealed class BoundedHandler : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var response = await base.SendAsync(request, cancellationToken);
            try
            {
                await response.Content.LoadIntoBufferAsync(LongestResponse, cancellationToken);
                return response;
            }
            catch
            {
                response.Dispose();
                throw;
            }
        }
    }
}
