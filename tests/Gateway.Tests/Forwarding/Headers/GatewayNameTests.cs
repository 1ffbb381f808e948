using Gateway.Forwarding.Headers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Gateway.Tests.Forwarding.Headers;

public sealed class GatewayNameTests
{
    [Theory]
    [InlineData("HTTP/1.0", "1.0 gateway")]
    [InlineData("HTTP/1.1", "1.1 gateway")]
    [InlineData("HTTP/2", "2.0 gateway")]
    public void A13_Via_names_the_version_and_is_made_once(string protocol, string expected)
    {
        var (name, request) = (new GatewayName("gateway"), new DefaultHttpContext().Request);
        request.Protocol = protocol;

        Assert.Equal(expected, name.ContinuedVia(request));
        Assert.Same(name.ContinuedVia(request), name.ContinuedVia(request));
        request.Headers.Via = "1.1 before";
        Assert.Equal($"1.1 before, {expected}", name.ContinuedVia(request));
    }
}
