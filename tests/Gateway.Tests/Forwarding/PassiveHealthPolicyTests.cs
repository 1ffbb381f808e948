using Gateway.Edge;
using Gateway.Forwarding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Forwarding;

/// <summary>A client cannot have a service taken out, and a service that does not answer is.</summary>
public sealed class PassiveHealthPolicyTests
{
    [Theory]
    [InlineData(ForwarderError.RequestBodyDestination, 0)]
    [InlineData(ForwarderError.UpgradeRequestDestination, 0)]
    [InlineData(ForwarderError.UpgradeResponseDestination, 0)]
    [InlineData(ForwarderError.Request, 1)]
    [InlineData(ForwarderError.RequestTimedOut, 1)]
    [InlineData(ForwarderError.ResponseBodyDestination, 1)]
    [InlineData(null, 1)]
    public void A_failure_that_a_client_can_cause_is_not_counted(ForwarderError? error, int counted)
    {
        var inner = new CountingPolicy();

        Judge(inner, Context(error));

        Assert.Equal(counted, inner.Requests);
    }

    [Fact]
    public void Headers_that_exceed_what_the_service_takes_are_not_its_failure()
    {
        var inner = new CountingPolicy();

        var large = Context(ForwarderError.Request, new HttpRequestException("The headers are too long."));
        large.Request.Headers["X-Large"] = new string('x', 8_000);
        Judge(inner, large);
        Judge(inner, Context(ForwarderError.Request, new HttpRequestException("The service has gone away several times.")));
        Judge(inner, Context(ForwarderError.Request, new HttpRequestException(HttpRequestError.ConnectionError, "No connection.")));
        Judge(inner, Context(ForwarderError.Request, new HttpRequestException("A broken connection.", new IOException())));

        Assert.Equal(3, inner.Requests);
    }

    [Theory]
    [InlineData(ForwarderError.Request, 0xb, 0)]
    [InlineData(ForwarderError.Request, 0x7, 0)]
    [InlineData(ForwarderError.ResponseBodyDestination, 0xb, 0)]
    [InlineData(ForwarderError.Request, 0x2, 1)]
    [InlineData(ForwarderError.ResponseBodyDestination, 0x2, 1)]
    public void A_stream_that_is_refused_because_a_client_reset_too_many_is_not_a_failure(ForwarderError error, long code, int counted)
    {
        var inner = new CountingPolicy();

        Judge(inner, Context(error, new HttpRequestException("Refused.", new HttpProtocolException(code, "The stream was reset.", null))));

        Assert.Equal(counted, inner.Requests);
    }

    [Theory]
    [InlineData(ForwarderError.RequestTimedOut)]
    [InlineData(ForwarderError.RequestCanceled)]
    public async Task A_service_that_is_silent_until_a_timeout_has_failed_unless_it_waits_for_the_client(ForwarderError error)
    {
        var inner = new CountingPolicy();
        using var aborted = new CancellationTokenSource();
        var context = Context(error);
        context.Features.Set<IHttpRequestBodyDetectionFeature>(new HasBody());
        context.Features.Set<IHttpRequestTimeoutFeature>(new PassedTimeout());
        context.RequestAborted = aborted.Token;
        context.Request.Body = new SilentStream();
        var body = ReceivedStream.Wrap(context)!;
        if (error == ForwarderError.RequestCanceled) await aborted.CancelAsync();

        // No byte was asked for: the connection to the service did not come about.
        Judge(inner, context);
        Assert.Equal((1, ForwarderError.RequestTimedOut, false), (inner.Requests, inner.Last, inner.WasAborted));
        Assert.Equal((error, aborted.Token), (context.GetForwarderErrorFeature()!.Error, context.RequestAborted));

        using var reading = new CancellationTokenSource();
        var read = body.ReadAsync(new byte[1], reading.Token).AsTask();
        Judge(inner, context);
        await reading.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
        Judge(inner, context);
        Assert.Equal(1, inner.Requests);
    }

    [Fact]
    public async Task The_gateway_has_all_policies_of_the_proxy_so()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(static settings => settings.WithoutRedis());

        var policies = gateway.Services.GetServices<IPassiveHealthCheckPolicy>().ToArray();

        Assert.All(policies, static policy => Assert.IsType<PassiveHealthPolicy>(policy));
        Assert.Contains(policies, static policy => policy.Name == HealthCheckConstants.PassivePolicy.TransportFailureRate);
    }

    private static DefaultHttpContext Context(ForwarderError? error, Exception? exception = null)
    {
        var context = new DefaultHttpContext();
        if (error is { } known) context.Features.Set<IForwarderErrorFeature>(new Failure(known, exception));
        return context;
    }

    private static void Judge(CountingPolicy inner, HttpContext context) =>
        new PassiveHealthPolicy(inner).RequestProxied(context, new ClusterState("c"), new DestinationState("d"));

    private sealed record Failure(ForwarderError Error, Exception? Exception) : IForwarderErrorFeature;

    private sealed class HasBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }

    private sealed class PassedTimeout : IHttpRequestTimeoutFeature
    {
        public CancellationToken RequestTimeoutToken { get; } = new(canceled: true);

        public void DisableTimeout() { }
    }

    private sealed class SilentStream : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return 0;
        }
    }

    private sealed class CountingPolicy : IPassiveHealthCheckPolicy
    {
        public int Requests { get; private set; }

        public ForwarderError? Last { get; private set; }

        public bool WasAborted { get; private set; }

        public string Name => "Counting";

        public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
        {
            Requests++;
            (Last, WasAborted) = (context.GetForwarderErrorFeature()?.Error, context.RequestAborted.IsCancellationRequested);
        }
    }
}
