using System.Globalization;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>Ids as an attacker writes them, byte for byte, by a caller whose token names the very same text.</summary>
public sealed class OrganizationIdTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    public static TheoryData<string, int> Ids => new()
    {
        { "o-" + new string('a', 65), 422 },
        { "o-" + new string('a', 4000), 422 },
        { "o-", 422 },
        { "-", 422 },
        { "acme", 422 },
        { "O-acme", 422 },
        { "o-acme-x", 422 },
        { "o-acme_x", 422 },
        { "o-acme.", 422 },
        { ".o-acme", 422 },
        { "...", 422 },
        { "o-*", 422 },
        { "*", 422 },
        { "o-%2A", 422 },
        { "o-$", 422 },
        { "o-${aws:username}", 422 },
        { "o-%24%7Baws:PrincipalTag%7D", 422 },
        { "{organizationId}", 422 },
        { "%7BorganizationId%7D", 422 },
        { "o-a+b", 422 },
        { "o-a%2Bb", 422 },
        { "o-a:b", 422 },
        { "o-a%3Ab", 422 },
        { "o-a\"b", 422 },
        { "o-a%22b", 422 },
        { "o-a'b", 422 },
        { "o-a%20b", 422 },
        { "o-acme%20", 422 },
        { "o-a,b", 422 },
        { "o-a@b", 422 },
        { "o-a&b", 422 },
        { "o-a=b", 422 },
        { "o-a~b", 422 },
        { "o-a|b", 422 },
        { "o-%C3%A9", 422 },
        { "o-%EF%BD%81", 422 },
        { "o-%D9%A1", 422 },
        { "o-acme%E2%80%8B", 422 },
        { "o-acme%C2%A0", 422 },
        { "", 400 },
        { "..", 400 },
        { ".", 400 },
        { "%2e%2e", 400 },
        { "%2E", 400 },
        { ".%2e", 400 },
        { "o-acme/../o-other", 400 },
        { "o-other/%2e%2e/o-acme", 400 },
        { "o-acme%2F..%2Fo-other", 400 },
        { "o-acme%2fx", 400 },
        { "o-acme%5Cx", 400 },
        { "o-acme\\x", 400 },
        { "o-acme;x=1", 400 },
        { "o-acme%3Bx", 400 },
        { "o-acme%3Fx", 400 },
        { "o-acme%23x", 400 },
        { "o-acme#x", 400 },
        { "o-acme%252F", 400 },
        { "o-%2561cme", 400 },
        { "o-acme%25", 400 },
        { "o-acme%", 400 },
        { "o-acme%4", 400 },
        { "o-acme%zz", 400 },
        { "o-acme%u0061", 400 },
        { "o-acme%0A", 400 },
        { "o-acme%0d%0aX-Gateway-Subject:%20root", 400 },
        { "o-acme%09", 400 },
        { "o-acme%01", 400 },
        { "o-acme%7F", 400 },
        { "o-acme%C2%85", 400 },
        { "o-%C0%AF", 400 },
        { "o-%E9", 400 },
        { "o-%ED%A0%80", 400 },
        { "o-\u00e9", 400 },
        { "o-acme%00", 400 },
        { "o-acme\u0001", 400 },
    };

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task An_id_that_is_none_reaches_neither_STS_nor_the_service(string id, int expected)
    {
        var world = platform.World;
        var token = world.Issuer.Issue(new TokenRequest { Organizations = (string[])[id, Uri.UnescapeDataString(id), "o-acme"] });
        foreach (var path in (string[])[Requests.CredentialsPath(id), $"/organizations/{id}/devices", $"/any/{id}/devices"])
        {
            var answer = await RawHttp.SendAsync(platform.Gateway.Url, path, "GET", $"Authorization: Bearer {token}");

            Assert.True(answer.Status == expected, $"{path}: {answer.Status.ToString(CultureInfo.InvariantCulture)} {answer.Body}");
            // A request that the server's parser refuses, before any middleware, gets no body.
            if (answer.Body.Length > 0) ErrorResponseAssert.BodyMatches(expected == 422 ? "ValidationError" : "BadRequest", answer.Body);
        }

        Assert.Equal(0, world.Aws.Calls.Count());
        Assert.Equal(0, world.Downstream.Requests.Count());
    }

    [Theory]
    [InlineData("o-abcd", 200)]
    [InlineData("o-abcdefg", 200)]
    [InlineData("o-abc", 422)]
    [InlineData("o-abcdefgh", 422)]
    [InlineData("o-", 422)]
    [InlineData("o-abc!", 422)]
    [InlineData("o-%61%62%63", 422)]
    public async Task E1_an_id_of_another_length_than_the_configured_is_none(string id, int expected)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis().Set("IotCredentials:OrganizationId:Length", """{ "Min": 4, "Max": 7 }"""));
        var token = world.Issuer.Issue(new TokenRequest { Organizations = (string[])[id, Uri.UnescapeDataString(id)] });

        var answer = await RawHttp.SendAsync(gateway.Url, Requests.CredentialsPath(id), "GET", $"Authorization: Bearer {token}");

        Assert.Equal(expected, answer.Status);
        Assert.Equal(expected == 200, world.Aws.Calls.Snapshot().Any(call => call.AssumeRole is not null));
    }

    [Fact]
    public async Task An_id_in_other_letters_is_another_organization()
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-ACME"), platform.World.Token("o-acme"));

        ErrorResponseAssert.Matches(403, "Forbidden", answer);
    }

    [Theory]
    [InlineData("http://other.example/organizations/o-acme/iot-endpoint-and-credentials")]
    [InlineData("*")]
    public async Task A_target_that_is_no_path_is_refused(string target)
    {
        var answer = await RawHttp.SendAsync(
            platform.Gateway.Url, target, target == "*" ? "OPTIONS" : "GET", $"Authorization: Bearer {platform.World.Token("o-acme")}", "Host: other.example");

        Assert.InRange(answer.Status, 400, 499);
        Assert.Equal(0, platform.World.Aws.Calls.Count());
    }
}
