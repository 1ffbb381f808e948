using System.Globalization;
using System.Net;
using Gateway.Forwarding.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Xunit;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Tests.Forwarding;

/// <summary>Which pool of HTTP/2 connections a caller's requests use.</summary>
public sealed class CallerPoolTests : IDisposable
{
    private const int Shared = -1;
    private const int MostPools = CallerConnections.MostPools;

    private readonly HttpMessageInvoker _connections;
    private int _pools;
    private Version _spoken = HttpVersion.Version20;

    public CallerPoolTests() => _connections = new(new CallerConnections(new Client(this, Shared), () => new HttpMessageInvoker(new Client(this, _pools++))));

    public void Dispose() => _connections.Dispose();

    [Fact]
    public async Task Callers_with_requests_in_flight_are_apart_and_the_first_free_pool_is_used()
    {
        var (alice, bob) = (new Exchange(1), new Exchange(2));
        Assert.Equal((0, 1, 0), (await SendAsync(alice), await SendAsync(bob), await SendAsync(new Exchange(1))));

        await bob.EndAsync();

        Assert.Equal(1, await SendAsync(new Exchange(3)));
    }

    [Fact]
    public async Task A_pool_is_free_when_all_requests_of_its_caller_have_ended()
    {
        var (first, second) = (new Exchange(1), new Exchange(1));
        await SendAsync(first);
        await SendAsync(second);
        // A retry is the same exchange.
        await SendAsync(second);

        await second.EndAsync();
        Assert.Equal(1, await SendAsync(new Exchange(2)));
        await first.EndAsync();
        Assert.Equal(0, await SendAsync(new Exchange(3)));
    }

    [Fact]
    public async Task A_caller_whose_request_failed_returns_and_others_use_its_pool_last()
    {
        await FailAsync(1);

        Assert.Equal(1, await SendAsync(new Exchange(2)));
        Assert.Equal(0, await SendAsync(new Exchange(1)));
    }

    [Fact]
    public async Task A_caller_whose_request_failed_takes_no_other_pool_that_is_free()
    {
        var alice = new Exchange(1);
        await SendAsync(alice);
        await FailAsync(2);
        await alice.EndAsync();

        Assert.Equal(1, await SendAsync(new Exchange(2)));
    }

    [Fact]
    public async Task More_callers_than_pools_share_them_evenly()
    {
        for (var i = 0; i < 3 * MostPools; i++) Assert.Equal(i % MostPools, await SendAsync(new Exchange(i)));
    }

    [Fact]
    public async Task When_all_pools_have_failed_the_first_to_fail_is_used_first()
    {
        for (var i = 0; i < MostPools; i++) await FailAsync(i);

        Assert.Equal((0, 5, 1), (await SendAsync(new Exchange(200)), await SendAsync(new Exchange(5)), await SendAsync(new Exchange(201))));
        Assert.Equal(MostPools, _pools);
    }

    [Theory]
    [InlineData("http://a/", "2.0", HttpVersionPolicy.RequestVersionOrLower, Shared)]
    [InlineData("http://a/", "2.0", HttpVersionPolicy.RequestVersionExact, 0)]
    [InlineData("https://a/", "1.1", HttpVersionPolicy.RequestVersionOrLower, Shared)]
    [InlineData("https://a/", "1.1", HttpVersionPolicy.RequestVersionOrHigher, 0)]
    [InlineData("http://a/", "1.1", HttpVersionPolicy.RequestVersionOrHigher, Shared)]
    [InlineData("https://a/", "2.0", HttpVersionPolicy.RequestVersionOrLower, 0)]
    [InlineData("https://a/", "3.0", HttpVersionPolicy.RequestVersionExact, 0)]
    public async Task Only_what_may_be_HTTP_2_has_a_pool(string address, string version, HttpVersionPolicy policy, int expected) =>
        Assert.Equal(expected, await SendAsync(new Exchange(1), address, version, policy));

    [Fact]
    public async Task A_service_that_chooses_HTTP_1_has_the_shared_client_until_it_chooses_HTTP_2()
    {
        _spoken = HttpVersion.Version11;
        Assert.Equal((0, Shared), (await SendAsync(new Exchange(1)), await SendAsync(new Exchange(1))));

        _spoken = HttpVersion.Version20;
        Assert.Equal((Shared, 0), (await SendAsync(new Exchange(1)), await SendAsync(new Exchange(1))));

        // As for a WebSocket.
        _spoken = HttpVersion.Version11;
        Assert.Equal((0, 0), (await SendAsync(new Exchange(1)), await SendAsync(new Exchange(1))));
    }

    [Fact]
    public async Task A_request_without_a_caller_has_the_shared_client()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://a/") { Version = HttpVersion.Version20 };

        using var response = await _connections.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal($"{Shared}", response.ReasonPhrase);
    }

    private async Task<int> SendAsync(
        Exchange exchange, string address = "https://a/", string version = "2.0", HttpVersionPolicy policy = HttpVersionPolicy.RequestVersionOrLower)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Version = Version.Parse(version), VersionPolicy = policy };
        CallerConnections.SetContext(new RequestTransformContext { HttpContext = exchange.Context, ProxyRequest = request, DestinationPrefix = address });
        using var response = await _connections.SendAsync(request, TestContext.Current.CancellationToken);
        return int.Parse(response.ReasonPhrase!, CultureInfo.InvariantCulture);
    }

    private async Task FailAsync(int caller)
    {
        var exchange = new Exchange(caller);
        await SendAsync(exchange);
        exchange.Context.Features.Set<IForwarderErrorFeature>(new Failure());
        await exchange.EndAsync();
    }

    private sealed class Client(CallerPoolTests test, int number) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage { ReasonPhrase = $"{number}", Version = test._spoken });
    }

    /// <summary>An exchange with a client, which ends when the test says so.</summary>
    private sealed class Exchange : HttpResponseFeature
    {
        private readonly List<(Func<object, Task> Callback, object State)> _completed = [];

        public Exchange(int caller)
        {
            Context.Features.Set<IHttpResponseFeature>(this);
            Context.Connection.RemoteIpAddress = new IPAddress([10, 0, 0, (byte)caller]);
        }

        public HttpContext Context { get; } = new DefaultHttpContext();

        public override void OnCompleted(Func<object, Task> callback, object state) => _completed.Add((callback, state));

        public async Task EndAsync()
        {
            foreach (var (callback, state) in _completed) await callback(state);
        }
    }

    private sealed class Failure : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.RequestCanceled;

        public Exception? Exception => null;
    }
}
