using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>S20: there is a record of credentials that left, and of no others.</summary>
public sealed class DeliveryTests : IAsyncLifetime
{
    private const string Record = ": Vended: issuer";

    private World _world = null!;
    private RunningGateway _gateway = null!;

    private static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync();
        _gateway = await _world.StartGatewayAsync(
            settings =>
            {
                settings.Remove("Urls");
                settings.WithoutRedis().Set("Kestrel:Endpoints:Two", """{ "Url": "http://127.0.0.1:0", "Protocols": "Http2" }""");
            },
            services => services.AddSingleton<IStartupFilter, Breaking>());
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("S20 a WebSocket", "websocket")]
    [InlineData("S20 another protocol", "connect-udp")]
    public async Task S20_an_extended_CONNECT_is_405_and_no_vend(string row, string protocol)
    {
        var (status, error) = await ConnectAsync(protocol, _world.Token("o-acme"));
        var (stranger, _) = await ConnectAsync(protocol, null);

        Assert.True(status == 405, $"{row}: {status} {error}");
        // Another protocol than a WebSocket is a method that is nowhere allowed.
        Assert.Equal(protocol == "websocket" ? 401 : 405, stranger);
        Assert.Equal(0, _gateway.Log.Count(LogLevel.Information, Record));
        Assert.Equal(0, _gateway.Log.Count(LogLevel.Error, ""));
        Assert.Empty(_world.Aws.Calls.Snapshot());
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("POST")]
    [InlineData("OPTIONS")]
    public async Task S20_another_method_is_405_and_no_vend(string method)
    {
        Assert.Equal(405, (await SendAsync("", method)).Status);

        Assert.Equal(0, _gateway.Log.Count(LogLevel.Information, Record));
    }

    [Fact]
    public async Task S20_a_response_that_was_sent_has_a_record()
    {
        Assert.Equal(200, (await SendAsync("")).Status);

        await _gateway.Log.WaitForAsync(LogLevel.Information, "delivered True");
        Assert.Equal(1, _gateway.Log.Count(LogLevel.Information, Record));
    }

    [Fact]
    public async Task S20_a_client_that_leaves_before_the_last_byte_may_have_got_them()
    {
        Assert.Equal(200, (await SendAsync("aborts")).Status);

        await _gateway.Log.WaitForAsync(LogLevel.Information, "delivered False");
        Assert.Equal(1, _gateway.Log.Count(LogLevel.Information, Record));
    }

    [Fact]
    public async Task S20_a_response_that_breaks_off_may_have_arrived()
    {
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => SendAsync("breaks"));

        await _gateway.Log.WaitForAsync(LogLevel.Information, "delivered False");
    }

    [Theory]
    [InlineData("S20 a response that cannot be written", "fails")]
    [InlineData("S20 a client that left while the credentials were looked for", "gone")]
    public async Task S20_what_was_never_sent_has_no_record(string row, string how)
    {
        var broken = await SendAsync(how);
        Assert.False(broken.Body.Contains("credentials", StringComparison.Ordinal), row);
        // A second one, whose record comes after any of the first.
        Assert.Equal(200, (await SendAsync("")).Status);

        await _gateway.Log.WaitForAsync(LogLevel.Information, Record);
        Assert.Equal(1, _gateway.Log.Count(LogLevel.Information, Record));
    }

    private Task<Response> SendAsync(string how, string method = "GET") =>
        _gateway.SendAsync(Requests.CredentialsPath("o-acme"), _world.Token("o-acme"), method, request =>
        {
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
            request.Headers.Add(Breaking.Header, how);
        });

    private async Task<(int Status, string Error)> ConnectAsync(string protocol, string? token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Connect, _gateway.Url + Requests.CredentialsPath("o-acme"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Protocol = protocol;
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        using var response = await _world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
        return ((int)response.StatusCode, response.StatusCode == HttpStatusCode.OK ? "" : await response.Content.ReadAsStringAsync(Patience));
    }

    /// <summary>Breaks a response as it is completed, as a request's header says.</summary>
    private sealed class Breaking : IStartupFilter
    {
        public const string Header = "X-Breaks";

        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(static (context, following) =>
            {
                var how = context.Request.Headers[Header].ToString();
                if (how.Length > 0)
                {
                    var lifetime = new Lifetime();
                    context.Features.Set<IHttpResponseBodyFeature>(new Body(context.Features.Get<IHttpResponseBodyFeature>()!, lifetime, how));
                    context.Features.Set<IHttpRequestLifetimeFeature>(lifetime);
                    if (how == "gone") lifetime.Abort();
                }

                return following(context);
            });
            next(app);
        };
    }

    private sealed class Lifetime : IHttpRequestLifetimeFeature
    {
        public CancellationToken RequestAborted { get; set; }

        public void Abort() => RequestAborted = new(canceled: true);
    }

    private sealed class Body(IHttpResponseBodyFeature inner, Lifetime lifetime, string how) : IHttpResponseBodyFeature
    {
        public Stream Stream => inner.Stream;

        public PipeWriter Writer => inner.Writer;

        public void DisableBuffering() => inner.DisableBuffering();

        public Task StartAsync(CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return how == "fails" ? throw new IOException("cannot be written") : inner.StartAsync(cancellationToken);
        }

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
            inner.SendFileAsync(path, offset, count, cancellationToken);

        public async Task CompleteAsync()
        {
            if (how == "breaks") throw new IOException("cannot be written to its end");
            await inner.CompleteAsync();
            if (how == "aborts") lifetime.Abort();
        }
    }
}
