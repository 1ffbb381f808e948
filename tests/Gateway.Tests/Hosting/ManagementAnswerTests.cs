using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

public sealed class ManagementAnswerTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Theory]
    [InlineData("/health/live", 200)]
    [InlineData("/health/ready", 200)]
    [InlineData("/metrics", 200)]
    [InlineData("/nowhere", 401)]
    public async Task What_management_answers_is_not_for_a_browser_to_guess_at(string path, int status)
    {
        var answer = await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path);

        Assert.Equal(status, answer.Status);
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
    }
}
