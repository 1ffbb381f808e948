using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>Whatever bytes are sent: what is ambiguous is refused, and a service sees nothing, or the one request that was authorized.</summary>
public sealed partial class HostileRequestTests(HostileRequestTests.Shipped platform) : IClassFixture<HostileRequestTests.Shipped>
{
    private static readonly string[] s_ofOneHop =
    [
        "Upgrade", "HTTP2-Settings", "Expect", "TE", "Trailer", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Proxy", "Authorization", "Cookie",
        "X-Content-Length",
    ];

    public static TheoryData<string> Names => [.. HostileRequest.All.Select(request => request.Name)];

    [Fact]
    public void There_are_enough_of_them() => Assert.InRange(HostileRequest.All.Count, 120, int.MaxValue);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_hostile_request_means_nothing_or_what_was_authorized(string name)
    {
        var request = Assert.Single(HostileRequest.All, request => request.Name == name);
        var before = platform.World.Downstream.Requests.Snapshot().Count;

        var answer = await RawHttp.ExchangeAsync(platform.Gateway.Url, request.Bytes
            .Replace("{host}", new Uri(platform.Gateway.Url).Authority, StringComparison.Ordinal)
            .Replace("{token}", platform.World.Token("o-acme"), StringComparison.Ordinal));

        var statuses = StatusLine().Matches(answer).Select(line => int.Parse(line.Groups["status"].Value, CultureInfo.InvariantCulture));
        Assert.Equal(request.Statuses, statuses);
        var received = platform.World.Downstream.Requests.Snapshot().Skip(before).ToArray();
        Assert.Equal(request.Arrives is null ? [] : [request.Arrives], received.Select(arrived => $"{arrived.Method} {arrived.Target}"));
        foreach (var headers in received.Select(arrived => arrived.Headers))
        {
            Assert.DoesNotContain(headers, header => header.Value.Any(value => value.Contains("forged", StringComparison.Ordinal)));
            Assert.Empty(headers.Keys.Intersect(s_ofOneHop, StringComparer.OrdinalIgnoreCase));
            Assert.False(headers.ContainsKey("Content-Length") && headers.ContainsKey("Transfer-Encoding"), "two words on the length");
            Assert.Equal(["alice"], headers["X-Gateway-Subject"]);
            Assert.Equal(["o-acme"], headers["X-Gateway-Organization"]);
        }
    }

    [GeneratedRegex(@"HTTP/1\.1 (?<status>\d{3})")]
    private static partial Regex StatusLine();

    /// <summary>A gateway within the bounds that ship, which answers to its own address only.</summary>
    public sealed class Shipped : PlatformFixture
    {
        protected override void Change(JsonObject settings)
        {
            settings["Kestrel"] = ShippedSettings.Read()["Kestrel"]!.DeepClone();
            settings["AllowedHosts"] = "127.0.0.1";
        }
    }
}
