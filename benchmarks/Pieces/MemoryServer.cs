using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Pieces;

/// <summary>A server without a network: an application is handed its requests, and its responses are dropped.</summary>
internal sealed class MemoryServer : IServer
{
    private Func<IFeatureCollection, Response, Task> _respond = null!;

    public IFeatureCollection Features { get; } = new FeatureCollection();

    /// <summary>The status of the response to a GET.</summary>
    public async Task<int> GetAsync(string path, string? authorization)
    {
        var response = new Response();
        // Room for what an application adds, which with Kestrel are fields.
        var features = new FeatureCollection(initialCapacity: 32);
        features.Set<IHttpRequestFeature>(new HttpRequestFeature
        {
            Protocol = "HTTP/1.1",
            Scheme = "http",
            Method = "GET",
            Path = path,
            RawTarget = path,
            Headers = new HeaderDictionary { [HeaderNames.Host] = "localhost", [HeaderNames.Authorization] = authorization },
        });
        features.Set<IHttpConnectionFeature>(new HttpConnectionFeature { RemoteIpAddress = IPAddress.Loopback });
        features.Set<IHttpResponseFeature>(response);
        features.Set<IHttpResponseBodyFeature>(response.Dropped);
        await _respond(features, response);
        return response.StatusCode;
    }

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken) where TContext : notnull
    {
        _respond = async (features, response) =>
        {
            var context = application.CreateContext(features);
            await application.ProcessRequestAsync(context);
            await response.EndAsync();
            application.DisposeContext(context, null);
        };
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() { }

    private sealed class Response : HttpResponseFeature
    {
        private readonly Stack<(Func<object, Task> Callback, object State)> _starting = [];
        private readonly Stack<(Func<object, Task> Callback, object State)> _completed = [];

        public StreamResponseBodyFeature Dropped { get; } = new(Stream.Null);

        public override void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

        public override void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

        public async Task EndAsync()
        {
            while (_starting.TryPop(out var next)) await next.Callback(next.State);
            await Dropped.CompleteAsync();
            while (_completed.TryPop(out var next)) await next.Callback(next.State);
        }
    }
}
