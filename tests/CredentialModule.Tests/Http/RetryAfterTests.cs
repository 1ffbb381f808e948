using System.Globalization;
using IotCredentials.Http;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace CredentialModule.Tests.Http;

/// <summary><c>Retry-After</c> is in whole seconds, after which the wait is over; callers that were refused together do not come back together.</summary>
public sealed class RetryAfterTests
{
    [Theory]
    [InlineData(-5, 1, 3)]
    [InlineData(0, 1, 3)]
    [InlineData(0.001, 1, 3)]
    [InlineData(1, 1, 3)]
    [InlineData(1.001, 2, 4)]
    [InlineData(45.5, 46, 57)]
    [InlineData(86400, 86400, 86430)]
    public void SetRetryAfter_RoundsUpAndSpreads(double wait, int least, int most)
    {
        var seconds = Enumerable.Range(0, 2000).Select(_ => Set(TimeSpan.FromSeconds(wait))).ToHashSet();

        Assert.Equal(Enumerable.Range(least, most - least + 1), seconds.Order());
    }

    private static int Set(TimeSpan wait)
    {
        var response = new DefaultHttpContext().Response;
        ErrorResponse.SetRetryAfter(response, wait);
        return int.Parse(response.Headers.RetryAfter.ToString(), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
