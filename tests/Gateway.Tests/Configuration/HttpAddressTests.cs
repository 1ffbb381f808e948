using Gateway.Configuration;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The form of an address is the same for issuers, destinations and origins.</summary>
public sealed class HttpAddressTests
{
    [Theory]
    [InlineData("https://id.example.com", true)]
    [InlineData("HTTP://id.example.com:8080/tenant", true)]
    [InlineData("http://[::1]:5001/", true)]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("id.example.com", false)]
    [InlineData("//id.example.com/", false)]
    // On Unix an absolute path is an absolute URI, of a file.
    [InlineData("/keys", false)]
    [InlineData("localhost:5002", false)]
    [InlineData("ftp://id.example.com/", false)]
    [InlineData("https://", false)]
    [InlineData("https:///keys", false)]
    public void TryParse_HttpOrHttpsWithHost(string? text, bool expected) => Assert.Equal(expected, HttpAddress.TryParse(text, out _));
}
