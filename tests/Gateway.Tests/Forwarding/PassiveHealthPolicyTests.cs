using Gateway.Forwarding;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Forwarding;

/// <summary>A client cannot have a service taken out by uploads that the service does not wait for.</summary>
public sealed class PassiveHealthPolicyTests
{
    [Theory]
    [InlineData(ForwarderError.RequestBodyDestination, 0)]
    [InlineData(ForwarderError.Request, 1)]
    [InlineData(ForwarderError.RequestTimedOut, 1)]
    [InlineData(ForwarderError.ResponseBodyDestination, 1)]
    [InlineData(ForwarderError.UpgradeResponseDestination, 1)]
    [InlineData(null, 1)]
    public void A_failure_that_a_client_can_cause_is_not_counted(ForwarderError? error, int counted)
    {
        var inner = new CountingPolicy();
        var context = new DefaultHttpContext();
        if (error is { } known) context.Features.Set<IForwarderErrorFeature>(new Failure(known));

        new PassiveHealthPolicy(inner).RequestProxied(context, new ClusterState("c"), new DestinationState("d"));

        Assert.Equal(counted, inner.Requests);
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

    private sealed record Failure(ForwarderError Error) : IForwarderErrorFeature
    {
        public Exception? Exception => null;
    }

    private sealed class CountingPolicy : IPassiveHealthCheckPolicy
    {
        public int Requests { get; private set; }

        public string Name => "Counting";

        public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination) => Requests++;
    }
}
