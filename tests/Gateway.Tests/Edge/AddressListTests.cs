using System.Net;
using Gateway.Networking;
using Xunit;

namespace Gateway.Tests.Edge;

public sealed class AddressListTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", true)]
    [InlineData("192.0.2.1 10.0.0.1", "10.0.0.1", true)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("2001:db8::/32", "2001:db8::1", true)]
    [InlineData("2001:db8::1", "2001:db8::2", false)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "10.0.0.1", false)]
    public void Contains_TellsAddressesApart(string list, string address, bool expected)
    {
        Assert.True(AddressList.TryParse(list, out var networks, out _));

        Assert.Equal(expected, AddressList.Contains(networks, IPAddress.Parse(address)));
        Assert.False(AddressList.Contains(networks, null));
    }
}
