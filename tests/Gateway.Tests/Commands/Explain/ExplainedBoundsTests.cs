using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Gateway.Commands;
using Gateway.Explanations;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Explain;

/// <summary>What <c>explain</c> says of requests that no step of the gateway sees, and that AllowedHosts rejects, is what a gateway responds.</summary>
public sealed class ExplainedBoundsTests(ExplainedBoundsTests.Shared shared) : IClassFixture<ExplainedBoundsTests.Shared>
{
    private const string Host = "api.example.com";
    private const string Path = "/organizations/o-acme/1";

    // "GET ", " HTTP/1.1" and the end of the line.
    private const int RestOfLine = 4 + 9 + 2;

    // "Host: " and "Authorization: Bearer " with the ends of their lines, and the empty line.
    private const int RestOfHeaders = 6 + 2 + 22 + 2 + 2;

    public static TheoryData<string> Hosts =>
    [
        Host, "API.EXAMPLE.COM", "api.example.com:8080", "api.example.com.", "evil.example.net", "example.org", "a.example.org", "a.b.example.org",
        "aexample.org", "", "localhost", "127.0.0.1", "[::1]", "[::1]:80", "[zz]", "[::1", "api.example.com:", "api.example.com:x", ":80",
        "api.example.com:99999", "api.example.com@evil.example.net", "api.example.com, api.example.com", "é.example.org",
        .. Enumerable.Range(' ', '~' - ' ' + 1).Select(static code => $"a{(char)code}b.example.org"),
    ];

    public static TheoryData<string, string> Targets => new()
    {
        { "GET", Path },
        { "GET", Fill(8192) },
        { "GET", Fill(8193) },
        { "GET", Fill(8193).Replace("?q=", "/", StringComparison.Ordinal) },
        { "GET", Fill(40_000) },
        { "POST", Fill(8191) },
        { "POST", Fill(8192) },
        { "GET", "/organizations/o-acme/a b" },
        { "GET", "/organizations/o-acme/a\0b" },
        { "GET", "/organizations/o-acme/é" },
        { "GET", "/organizations/o-acme/#a" },
        { "GET", "/organizations/o-acme/%" },
        { "GET", "/organizations/o-acme/%00" },
        { "GET", "/a/../b" },
        { "GET", "/organizations/o-acme/1?q=é" },
        { "get", Path },
        { "G@T", Path },
        { "G T", Path },
        { "", Path },
        { "PURGE", Path },
        { "TRACE", Path },
        { "CONNECT", Path },
        { Letters(9000), Path },
    };

    public static TheoryData<string> Tokens =>
    [
        Letters(32_768 - RestOfHeaders - Host.Length), Letters(32_769 - RestOfHeaders - Host.Length), Letters(100_000),
        "a\u0001b", "a\0b", "a\u007fb", "a\tb", "a b", "é", "a\rb",
    ];

    [Theory]
    [MemberData(nameof(Hosts))]
    public Task A_host(string host) => AgreeAsync("GET", Path, host, shared.World.Token("o-acme"));

    [Theory]
    [MemberData(nameof(Targets))]
    public Task A_method_and_a_target(string method, string target) => AgreeAsync(method, target, Host, shared.World.Token("o-acme"));

    [Theory]
    [MemberData(nameof(Tokens))]
    public Task A_token(string token) => AgreeAsync("GET", Path, Host, token);

    /// <summary>Without a given host, the request has one that the configuration names, as it is on the wire.</summary>
    [Theory]
    [InlineData("AllowedHosts", "\"bücher.example\"")]
    [InlineData("AllowedHosts", "\"[::1]\"")]
    [InlineData("ReverseProxy:Routes:iot-endpoint-and-credentials:Match:Hosts", "[\"bücher.example\"]")]
    public async Task A_host_of_the_configuration_is_one_that_the_server_takes(string key, string hosts)
    {
        using var folder = shared.World.Folder(settings => settings.Set(key, hosts));

        var explained = await CommandResult.RunAsync(["explain", "--organization", "o-acme", "--token", shared.World.Token("o-acme"), "--config", folder.Path]);

        Assert.True(explained.ExitCode == 0, explained.Output);
    }

    [Theory]
    [InlineData("MaxRequestLineSize", 414)]
    [InlineData("MaxRequestHeadersTotalSize", 431)]
    [InlineData("MaxRequestHeaderCount", 431)]
    public async Task The_bounds_are_those_of_the_configuration(string bound, int status)
    {
        using var folder = shared.World.Folder(settings => settings.Set($"Kestrel:Limits:{bound}", "1"));

        var explained = await CommandResult.RunAsync(["explain", "--organization", "o-acme", "--token", shared.World.Token("o-acme"), "--config", folder.Path]);

        Assert.Equal(1, explained.ExitCode);
        Assert.Contains($"rejected with {status}: as HTTP/1.1, before any step of the gateway", explained.Output, StringComparison.Ordinal);
        Assert.Contains(bound, explained.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, 0, "at api.example.com")]
    [InlineData("evil.example.net", 1, "rejected with 400 (bad_request): before routing, because AllowedHosts allows only api.example.com, *.example.org")]
    [InlineData("a.example.org", 0, "at a.example.org")]
    public async Task The_command_has_a_host_that_is_allowed_unless_another_is_given(string? host, int exitCode, string said)
    {
        var explained = await CommandResult.RunAsync(
            ["explain", "--organization", "o-acme", "--config", shared.Gateway.Folder.Path, .. host is null ? (string[])[] : ["--host", host]]);

        Assert.Equal(exitCode, explained.ExitCode);
        Assert.Contains(said, explained.Output, StringComparison.Ordinal);
    }

    private static string Letters(int count) => new('a', count);

    private static string Fill(int line) => $"{Path}?q=".PadRight(line - RestOfLine, 'a');

    private async Task AgreeAsync(string method, string target, string host, string token)
    {
        var status = await StatusAsync($"{method} {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
        var environment = new ProgramEnvironment("Test", new Dictionary<string, string?>());
        var snapshot = environment.Load(["--config", shared.Gateway.Folder.Path]).Snapshot!;
        await using var idle = IdleGateway.BuildAlone(snapshot, environment);

        var explained = await new Explainer(snapshot, environment.Variables, idle.Services, RouteOrder.Of(idle))
            .ExplainAsync(new ExplainedRequest(method, target, host), null, token, apiKey: null);

        Assert.Equal((status, explained.Why), (explained.Refused ?? 200, explained.Why));
    }

    private async Task<int> StatusAsync(string request)
    {
        var address = new Uri(shared.Gateway.Url);
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        await using var stream = client.GetStream();
        await stream.WriteAsync(Encoding.UTF8.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Eventually.Limit);
        return int.Parse(line!.Split(' ')[1], CultureInfo.InvariantCulture);
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public RunningGateway Gateway { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await World.StartAsync();
            Gateway = await World.StartGatewayAsync(static settings => settings.WithoutRedis().Set("AllowedHosts", "\"api.example.com;*.example.org\""));
        }

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
