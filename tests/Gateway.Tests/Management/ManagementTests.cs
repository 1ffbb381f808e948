using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>Two listeners, and no way from one to the other's paths.</summary>
public sealed class ManagementTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private static readonly string[] s_paths = ["/health/live", "/health/ready", "/metrics"];

    public static TheoryData<string> Paths => [.. s_paths];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Probes_need_no_token_on_the_management_listener(string path) =>
        Assert.Equal(200, (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path)).Status);

    [Fact]
    public async Task Health_says_so_in_one_word()
    {
        Assert.Equal("Healthy", (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/health/live")).Body);
        Assert.Equal("Healthy", (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/health/ready")).Body);
    }

    [Theory]
    [InlineData("/health/live", "HEAD", 200)]
    [InlineData("/health/ready", "HEAD", 200)]
    [InlineData("/health/live", "POST", 401)]
    [InlineData("/health/ready", "POST", 401)]
    [InlineData("/metrics", "POST", 401)]
    [InlineData("/metrics", "TRACE", 401)]
    public async Task Probes_read_and_do_nothing_else(string path, string method, int status) =>
        Assert.Equal(status, (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path, method: method)).Status);

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task The_edge_has_none_of_its_paths_whatever_Host_says(string path)
    {
        var host = $"Host: {new Uri(platform.Gateway.ManagementUrl).Authority}";
        var without = await RawHttp.SendAsync(platform.Gateway.Url, path, "GET", host);
        var with = await RawHttp.SendAsync(platform.Gateway.Url, path, "GET", host, $"Authorization: Bearer {platform.World.Token("o-acme")}");

        Assert.Equal((401, 404), (without.Status, with.Status));
        ErrorResponseAssert.BodyMatches("NotFound", with.Body);
    }

    [Theory]
    [InlineData("/organizations/o-acme/iot-endpoint-and-credentials")]
    [InlineData("/organizations/o-acme/devices")]
    [InlineData("/open/1")]
    public async Task It_has_none_of_the_edges_paths_whatever_Host_says(string path)
    {
        var token = $"Authorization: Bearer {platform.World.Token("o-acme")}";
        var plain = await RawHttp.SendAsync(platform.Gateway.ManagementUrl, path, "GET", token);
        var spoofed = await RawHttp.SendAsync(platform.Gateway.ManagementUrl, path, "GET", token, $"Host: {new Uri(platform.Gateway.Url).Authority}");

        Assert.Equal((404, 404), (plain.Status, spoofed.Status));
        ErrorResponseAssert.BodyMatches("NotFound", spoofed.Body);
        Assert.Empty(platform.Received(path + "?"));
    }

    [Fact]
    public async Task Metrics_tell_of_requests_and_vends_and_of_no_secret()
    {
        // In a process of its own: of two gateways in one, the one that ends takes the other's metrics along.
        var gateway = await platform.World.StartGatewayProcessAsync(settings => settings.WithoutRedis());
        var vended = await platform.World.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-metrics"), platform.World.Token("o-metrics"));
        Assert.Equal(200, vended.Status);

        // A request counts when it has ended, which is after its answer, and a scrape may be as old as the one before.
        var metrics = "";
        await Eventually.IsTrueAsync(async () =>
        {
            metrics = (await platform.World.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;
            return metrics.Contains("http_server_request_duration_seconds_count", StringComparison.Ordinal);
        });

        Assert.Matches("iotcredentials_vends_total\\{[^}]*outcome=\"sts\"[^}]*\\} [1-9]", metrics);
        Assert.DoesNotContain("o-metrics", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain(vended.AccessKeyId, metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_names_no_server() =>
        Assert.False((await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/health/live")).Headers.Contains("Server"));
}
