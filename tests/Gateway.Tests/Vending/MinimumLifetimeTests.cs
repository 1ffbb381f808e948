using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>The profile can require half an hour at most: a session of one hour, renewed from half an hour on.</summary>
[Trait("Category", "Redis")]
public sealed class MinimumLifetimeTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Theory]
    [InlineData("?minimumLifetime=0")]
    [InlineData("?minimumLifetime=1")]
    [InlineData("?minimumLifetime=1800")]
    [InlineData("?minimumLifetime=0001800")]
    [InlineData("?minimumLifetime=%31")]
    [InlineData("?other=-1")]
    [InlineData("?")]
    public async Task A_life_that_the_profile_can_promise_is_given(string query)
    {
        var answer = await platform.Gateway.VendAsync("o-acme", query);

        Assert.True(answer.Status == 200, answer.Body);
    }

    [Theory]
    [InlineData("?minimumLifetime=1801")]
    [InlineData("?minimumLifetime=-1")]
    [InlineData("?minimumLifetime=-0")]
    [InlineData("?minimumLifetime=+5")]
    [InlineData("?minimumLifetime=%2B5")]
    [InlineData("?minimumLifetime=%205")]
    [InlineData("?minimumLifetime=5%20")]
    [InlineData("?minimumLifetime=5%00")]
    [InlineData("?minimumLifetime=5.0")]
    [InlineData("?minimumLifetime=5,0")]
    [InlineData("?minimumLifetime=1e2")]
    [InlineData("?minimumLifetime=0x10")]
    [InlineData("?minimumLifetime=00:10:00")]
    [InlineData("?minimumLifetime=%D9%A5")]
    [InlineData("?minimumLifetime=%EF%BC%95")]
    [InlineData("?minimumLifetime=")]
    [InlineData("?minimumLifetime")]
    [InlineData("?minimumLifetime=5&minimumLifetime=5")]
    [InlineData("?minimumLifetime=5&MinimumLifetime=6")]
    [InlineData("?minimumLifetime=5&minimum%4Cifetime=6")]
    [InlineData("?minimumLifetime=5,6")]
    [InlineData("?MINIMUMLIFETIME=1801")]
    [InlineData("?minimumLifetime=2147483648")]
    [InlineData("?minimumLifetime=4294967297")]
    [InlineData("?minimumLifetime=18446744073709551617")]
    [InlineData("?minimumLifetime=99999999999999999999999999999999999999999999")]
    public async Task Anything_else_is_422(string query) =>
        ErrorResponseAssert.Matches(422, "ValidationError", await platform.Gateway.VendAsync("o-acme", query));
}
