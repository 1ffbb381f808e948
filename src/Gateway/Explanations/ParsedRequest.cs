using System.Diagnostics.Metrics;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Gateway.Networking;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Explanations;

/// <summary>
/// Has Kestrel itself parse a request, as HTTP/1.1 and with the gateway's limits: its bounds and its syntax are nowhere else. The request is on a connection in
/// memory, and no step of the gateway sees it.
/// </summary>
internal static class ParsedRequest
{
    private const int Ok = StatusCodes.Status200OK;
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    /// <summary>The status with which Kestrel refuses a request before any step of the gateway; null if it accepts it.</summary>
    /// <param name="services">The gateway's services.</param>
    /// <param name="request">The request.</param>
    /// <param name="headers">Its headers besides Host.</param>
    public static async Task<int?> RefusalAsync(IServiceProvider services, ExplainedRequest request, IEnumerable<KeyValuePair<string, string>> headers)
    {
        var text = new StringBuilder($"{request.Method} {request.Target} HTTP/1.1\r\nHost: {request.Host}\r\n");
        foreach (var (name, value) in headers) text.Append(name).Append(": ").Append(value).Append("\r\n");
        // The end of a line in a part would begin another header, or another request.
        if (text.ToString().Count(static character => character is '\r' or '\n') != 2 * (2 + headers.Count())) return StatusCodes.Status400BadRequest;
        text.Append("\r\n");

        var listener = new Listener();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddSingleton<IConnectionListenerFactory>(listener).AddSingleton<IMeterFactory, OwnMeters>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            KestrelLimits.Bind(services.GetRequiredService<IConfiguration>(), options.Limits);
            options.Listen(new IPEndPoint(IPAddress.Loopback, 0), static endpoint => endpoint.Protocols = HttpProtocols.Http1);
        });
        await using var host = builder.Build();
        using var deadline = new CancellationTokenSource(s_longest);
        var server = host.Services.GetRequiredService<IServer>();
        await server.StartAsync(new Accepted(), deadline.Token);
        var status = await listener.StatusAsync(Encoding.UTF8.GetBytes(text.ToString()), deadline.Token);
        await server.StopAsync(deadline.Token);
        return status == Ok ? null : status;
    }

    /// <summary>A listener with one connection.</summary>
    private sealed class Listener : IConnectionListenerFactory, IConnectionListener
    {
        private readonly Pipe _request = new(new PipeOptions(pauseWriterThreshold: 0));
        private readonly Pipe _response = new();
        private int _accepted;

        public EndPoint EndPoint { get; private set; } = null!;

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            EndPoint = endpoint;
            return new(this);
        }

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (Interlocked.Exchange(ref _accepted, 1) == 1) return new((ConnectionContext?)null);
            var transport = new Duplex(_request.Reader, _response.Writer);
            return new(new MemoryConnection { Transport = transport, LocalEndPoint = EndPoint, RemoteEndPoint = EndPoint });
        }

        /// <summary>Sends a request, returns the status of the response, and closes the connection.</summary>
        public async Task<int> StatusAsync(byte[] request, CancellationToken cancellation)
        {
            await _request.Writer.WriteAsync(request, cancellation);
            var line = "HTTP/1.1 ".Length;
            var read = await _response.Reader.ReadAtLeastAsync(line + 3, cancellation);
            var status = read.Buffer.Length < line + 3
                ? StatusCodes.Status400BadRequest
                : int.Parse(Encoding.ASCII.GetString(read.Buffer.Slice(line, 3)), CultureInfo.InvariantCulture);
            await _request.Writer.CompleteAsync();
            await _response.Reader.CompleteAsync();
            return status;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => default;

        public ValueTask DisposeAsync() => default;
    }

    private sealed class MemoryConnection : DefaultConnectionContext
    {
        // The base would cancel a token in the background, and end the process if that was disposed of in the meantime.
        public override void Abort(ConnectionAbortedException abortReason) => Transport.Input.CancelPendingRead();
    }

    /// <summary>Meters that nobody listens to: the connection in memory is none of the gateway's.</summary>
    private sealed class OwnMeters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(nameof(ParsedRequest));
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(static meter => meter.Dispose());
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>Responds to all that Kestrel accepts.</summary>
    private sealed class Accepted : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public Task ProcessRequestAsync(IFeatureCollection context)
        {
            context.GetRequiredFeature<IHttpResponseFeature>().StatusCode = Ok;
            return Task.CompletedTask;
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
            // It holds nothing of its own.
        }
    }
}
