using Gateway.Errors;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Gateway.Tests.Errors;

/// <summary><c>Retry-After</c> is in whole seconds: the wait is over when they have passed, and it is never 0.</summary>
public sealed class RetryAfterHeaderTests
{
    [Theory]
    [InlineData(-5, "1")]
    [InlineData(0, "1")]
    [InlineData(0.001, "1")]
    [InlineData(1, "1")]
    [InlineData(1.001, "2")]
    [InlineData(45.5, "46")]
    [InlineData(86400, "86400")]
    public void Set_RoundsUp(double seconds, string expected)
    {
        var context = new DefaultHttpContext();

        RetryAfter.Set(context.Response, TimeSpan.FromSeconds(seconds));

        Assert.Equal(expected, context.Response.Headers.RetryAfter);
    }
}
