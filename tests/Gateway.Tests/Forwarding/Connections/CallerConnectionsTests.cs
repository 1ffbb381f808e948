using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Gateway.Tests.Edge;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding.Connections;

/// <summary>Over HTTP/2 to a service, a caller stops and breaks requests of its own alone.</summary>
public sealed class CallerConnectionsTests(CallerConnectionsTests.Platform platform) : IClassFixture<CallerConnectionsTests.Platform>
{
    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    // Each has a cluster of its own, by that name.
    public static TheoryData<string> Misuses { get; } =
    [
        "uploads-plain", "uploads-tls", "uploads-open", "responses-plain", "responses-tls", "sockets-plain", "leaves-plain", "leaves-tls",
    ];

    [Theory]
    [MemberData(nameof(Misuses))]
    public async Task A_caller_harms_no_other(string route)
    {
        var service = platform.Services[route];
        // An address is a caller if nobody is authenticated.
        using var alice = Client("127.0.0.2");
        using var bob = Client("127.0.0.1");
        service.Publish(0);
        using var open = await SendAsync(bob, HttpMethod.Get, $"/{route}/events", "bob");
        using var events = new StreamReader(await open.Content.ReadAsStreamAsync());
        Assert.Equal("data: 0", await events.ReadLineAsync(Patience));

        using var misuse = new CancellationTokenSource();
        // A response that nobody holds is closed by its finalizer.
        var sent = new List<Task<HttpResponseMessage>>();
        await (route.Split('-')[0] switch
        {
            "uploads" => UploadAsync("unread"),
            "responses" => UploadAsync("responses"),
            "sockets" => FillSocketsAsync(),
            _ => LeaveAsync(),
        });

        using var content = new ByteArrayContent([1, 2, 3, 4, 5]);
        using var response = await SendAsync(bob, HttpMethod.Post, $"/{route}/echo", "bob", content);
        Assert.Equal([1, 2, 3, 4, 5], await response.Content.ReadAsByteArrayAsync(Patience));
        service.Publish(1);
        Assert.Equal("data: 1", await events.ReadLineAsync(Patience));
        Assert.Equal(0, platform.Gateway.Log.Count(LogLevel.Warning, $"of the cluster {route} is unhealthy"));
        GC.KeepAlive(sent);
        await misuse.CancelAsync();

        // Two bodies that the service does not read, or not while the caller reads no response. On one connection, the gateway's window would hold them back.
        async Task UploadAsync(string to)
        {
            for (var i = 0; i < 2; i++)
            {
                var client = Client("127.0.0.2");
                misuse.Token.Register(client.Dispose);
                sent.Add(SendAsync(client, HttpMethod.Post, $"/{route}/{to}", "alice", new Endless(misuse.Token)));
            }

            await service.IsFullAsync();
        }

        async Task FillSocketsAsync()
        {
            for (var i = 0; i < 2; i++)
            {
                // A connection each: on one, the gateway's own window can hold the second back.
                var client = Client("127.0.0.2");
                misuse.Token.Register(client.Dispose);
                var socket = new ClientWebSocket();
                misuse.Token.Register(socket.Dispose);
                socket.Options.HttpVersion = HttpVersion.Version20;
                socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
                socket.Options.SetRequestHeader("Authorization", "Bearer " + Token("alice"));
                await socket.ConnectAsync(new Uri($"{platform.Http2.Replace("http", "ws", StringComparison.Ordinal)}/{route}/socket"), client, Patience);
                _ = socket.SendAsync(new byte[4_000_000], WebSocketMessageType.Binary, true, misuse.Token);
            }

            await service.IsFullAsync();
        }

        // Until the service has had enough of the connection, and the next request is on another.
        async Task LeaveAsync()
        {
            for (var i = 0; service.Busy.Distinct().Count() < 2; i++)
            {
                Assert.InRange(i, 0, 5_000);
                using var left = new CancellationTokenSource();
                Task begun = service.Begun.Reader.ReadAsync(left.Token).AsTask();
                var sending = SendAsync(alice, HttpMethod.Get, $"/{route}/busy", "alice", leaves: left.Token);
                await Task.WhenAny(begun, sending).WaitAsync(Patience);
                await left.CancelAsync();
                try
                {
                    (await sending).Dispose();
                }
                catch (OperationCanceledException)
                {
                    // The caller left.
                }

                await begun.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private string Token(string subject) => platform.World.Issuer.Issue(new TokenRequest { Subject = subject });

    private async Task<HttpResponseMessage> SendAsync(
        HttpMessageInvoker client, HttpMethod method, string path, string subject, HttpContent? content = null, CancellationToken? leaves = null)
    {
        var request = new HttpRequestMessage(method, platform.Http2 + path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (!path.Contains("-open/", StringComparison.Ordinal)) request.Headers.Authorization = new("Bearer", Token(subject));
        return await client.SendAsync(request, leaves ?? Patience);
    }

    private static HttpMessageInvoker Client(string address) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });

    public sealed class Platform : BothProtocols
    {
        internal Dictionary<string, SharedService> Services { get; } = [];

        protected override async ValueTask PrepareAsync()
        {
            foreach (string name in Misuses) Services[name] = await SharedService.StartAsync(IsTls(name));
        }

        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            foreach (var (name, service) in Services)
            {
                // With TLS both sides choose HTTP/2, as YARP's defaults let them.
                var request = IsTls(name) ? "{}" : """{ "Version": "2", "VersionPolicy": "RequestVersionExact" }""";
                var policy = name.EndsWith("-open", StringComparison.Ordinal) ? "Anonymous" : "Default";
                settings.Set($"ReverseProxy:Clusters:{name}", $$"""
                    {
                      "Destinations": { "a": { "Address": "{{service.Url}}" } },
                      "HttpRequest": {{request}},
                      "HttpClient": { "DangerousAcceptAnyServerCertificate": true },
                      "HealthCheck": { "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "01:00:00" } }
                    }
                    """)
                    .Route(name, $"/{name}/{{**rest}}", $$"""
                        { "ClusterId": "{{name}}", "AuthorizationPolicy": "{{policy}}" }
                        """);
            }
        }

        private static bool IsTls(string name) => name.EndsWith("-tls", StringComparison.Ordinal);
    }

    /// <summary>A service that all callers reach over HTTP/2, and that counts what arrived on each connection and was not read.</summary>
    internal sealed class SharedService
    {
        // Kestrel's own, written out for the tests that fill it.
        private const int Window = 1024 * 1024;

        private readonly ConcurrentDictionary<string, StrongBox<long>> _unread = new();
        private readonly Channel<int> _events = Channel.CreateUnbounded<int>();
        private WrittenService? _service;

        public string Url => _service!.Url;

        /// <summary>The connections of requests to <c>/busy</c>.</summary>
        public ConcurrentQueue<string> Busy { get; } = [];

        public Channel<int> Begun { get; } = Channel.CreateUnbounded<int>();

        public static async Task<SharedService> StartAsync(bool isTls)
        {
            var service = new SharedService();
            service._service = await WrittenService.StartAsync(
                service.RespondAsync,
                isTls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http2,
                listen =>
                {
                    listen.KestrelServerOptions.Limits.Http2.InitialConnectionWindowSize = Window;
                    if (isTls) listen.UseHttps(Certificate());
                    listen.Use(next => connection =>
                    {
                        var unread = service._unread.GetOrAdd(connection.ConnectionId, static _ => new StrongBox<long>());
                        connection.Transport = new Counted(connection.Transport, unread);
                        return next(connection);
                    });
                });
            return service;
        }

        /// <summary>Waits until a connection's window is used up but for what was read of it, which Kestrel gives back late.</summary>
        public Task IsFullAsync() =>
            Eventually.IsTrueAsync(() => _unread.Values.Any(static unread => Interlocked.Read(ref unread.Value) > Window - 100_000),
                () => string.Join(' ', _unread.Values.Select(static unread => unread.Value)));

        public void Publish(int number) => _events.Writer.TryWrite(number);

        private async Task RespondAsync(HttpContext context)
        {
            var left = context.RequestAborted;
            switch (context.Request.Path.Value!.Split('/')[^1])
            {
                case "unread":
                    await Task.Delay(Timeout.Infinite, left);
                    break;
                case "socket":
                    await context.Features.GetRequiredFeature<IHttpExtendedConnectFeature>().AcceptAsync();
                    await Task.Delay(Timeout.Infinite, left);
                    break;
                case "echo":
                    await EchoAsync(context, _unread[context.Connection.Id], times: 1);
                    break;
                case "responses":
                    await EchoAsync(context, _unread[context.Connection.Id], times: 100);
                    break;
                // Works on, though the caller has left.
                case "busy":
                    Busy.Enqueue(context.Connection.Id);
                    Begun.Writer.TryWrite(0);
                    await Task.Delay(Timeout.Infinite, CancellationToken.None);
                    break;
                case "events":
                    context.Response.ContentType = "text/event-stream";
                    await foreach (var number in _events.Reader.ReadAllAsync(left))
                    {
                        await context.Response.WriteAsync($"data: {number}\n", left);
                        await context.Response.Body.FlushAsync(left);
                    }

                    break;
            }
        }

        private static async Task EchoAsync(HttpContext context, StrongBox<long> unread, int times)
        {
            await context.Response.StartAsync();
            var buffer = new byte[16 * 1024];
            for (int read; (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
            {
                Interlocked.Add(ref unread.Value, -read);
                for (var i = 0; i < times; i++) await context.Response.Body.WriteAsync(buffer.AsMemory(0, read), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }

        private static X509Certificate2 Certificate()
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
        }
    }

    /// <summary>Counts what is read of a connection.</summary>
    private sealed class Counted(IDuplexPipe transport, StrongBox<long> bytes) : PipeReader, IDuplexPipe
    {
        private ReadOnlySequence<byte> _read;

        public PipeReader Input => this;

        public PipeWriter Output => transport.Output;

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            Keep(await transport.Input.ReadAsync(cancellationToken));

        public override bool TryRead(out ReadResult result)
        {
            if (!transport.Input.TryRead(out result)) return false;
            Keep(result);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            Interlocked.Add(ref bytes.Value, _read.Slice(0, consumed).Length);
            transport.Input.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => transport.Input.CancelPendingRead();

        public override void Complete(Exception? exception = null) => transport.Input.Complete(exception);

        private ReadResult Keep(ReadResult result)
        {
            _read = result.Buffer;
            return result;
        }
    }

    /// <summary>A body without an end, until its caller leaves.</summary>
    private sealed class Endless(CancellationToken left) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            while (true) await stream.WriteAsync(new byte[16 * 1024], left);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
