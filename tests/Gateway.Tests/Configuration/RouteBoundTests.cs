using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class RouteBoundTests : IDisposable
{
    private const string Route = "ReverseProxy:Routes:organizations";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("10.0.0.0/8, 192.0.2.7 2001:db8::/32,::1")]
    [InlineData("::ffff:10.0.0.1 0.0.0.0/0")]
    public void Addresses_and_networks_are_a_bound(string addresses)
    {
        _configuration.Set($"{Route}:Metadata:IpAllow", $"\"{addresses}\"").LoadGood();
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" , ", "is empty")]
    [InlineData("10.0.0.1, 10.0.0", "\"10.0.0\"")]
    [InlineData("10.0.0.1/8", "\"10.0.0.1/8\"")]
    [InlineData("10.0.0.0/33", "\"10.0.0.0/33\"")]
    [InlineData("10.0/16", "\"10.0/16\"")]
    [InlineData("2001:db8::1/32", "\"2001:db8::1/32\"")]
    [InlineData("[::1]:80", "\"[::1]:80\"")]
    [InlineData("10.0.0.1;10.0.0.2", "\"10.0.0.1;10.0.0.2\"")]
    [InlineData("office.example.com", "\"office.example.com\"")]
    public void Anything_else_is_an_error_that_shows_the_bad_item(string addresses, string expected)
    {
        var finding = _configuration.Set($"{Route}:Metadata:IpAllow", $"\"{addresses}\"").LoadBad();

        Assert.Equal($"{Route}:Metadata:IpAllow", finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Limits_that_replicas_share_are_a_bound() =>
        _configuration.Set("RateLimiting:Policies:PerOrganization:Store", "\"Redis\"").LoadGood();

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void A_bodys_size_is_a_number_of_bytes(long size) =>
        _configuration.Set($"{Route}:MaxRequestBodySize", $"{size}").LoadGood();

    [Fact]
    public void A_bodys_size_may_be_YARPs_word_for_no_limit_which_is_a_warning()
    {
        var result = _configuration.Set($"{Route}:MaxRequestBodySize", "-1").Load();

        Assert.NotNull(result.Snapshot);
        Assert.Equal($"{Route}:MaxRequestBodySize", Assert.Single(result.Findings).Key);
    }

    [Fact]
    public void A_bodys_size_below_nothing_is_an_error() =>
        Assert.Equal($"{Route}:MaxRequestBodySize", _configuration.Set($"{Route}:MaxRequestBodySize", "-2").LoadBad().Key);
}
