using Gateway.Tests.Authentication;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>The client's address on the management listener: which one it is, and what depends on it.</summary>
public sealed class ManagementClientTests : IAsyncLifetime
{
    private const int Permits = 3;
    private const string Audited = "Invalidate credentials: ";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly string _key = ApiKeys.NewKey();
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(_time);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    // The proxy is trusted: the address that it reports counts.
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.1", 204)]
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.2", 403)]
    [InlineData("127.0.0.1", "127.0.0.1", "192.0.2.1", 403)]
    // Only what the last proxy reports is more than the client's word.
    [InlineData("127.0.0.1", "192.0.2.1", "192.0.2.1, 192.0.2.2", 403)]
    // No proxy is trusted, or another one: the connection's address counts.
    [InlineData(null, "192.0.2.1", "192.0.2.1", 403)]
    [InlineData(null, "127.0.0.1", "192.0.2.1", 204)]
    [InlineData("10.0.0.0/8", "192.0.2.1", "192.0.2.1", 403)]
    public async Task IpAllow_of_a_key_holds_for_the_client_and_not_for_a_trusted_proxy(string? trusted, string allowed, string forwardedFor, int status)
    {
        var gateway = await StartAsync(trusted, allowed);

        Assert.Equal(status, await DeleteAsync(gateway, $"{ApiKeys.Header}: {_key}", $"X-Forwarded-For: {forwardedFor}"));
    }

    [Fact]
    public async Task A_lockout_counts_the_clients_address_and_not_the_trusted_proxys()
    {
        var gateway = await StartAsync(trusted: "127.0.0.1");
        for (var i = 0; i <= Permits; i++) Assert.Equal(i < Permits ? 401 : 429, await DeleteAsync(gateway, Junk(), "X-Forwarded-For: 192.0.2.1"));

        Assert.Equal(401, await DeleteAsync(gateway, Junk(), "X-Forwarded-For: 192.0.2.2"));
    }

    [Fact]
    public async Task Without_a_trusted_proxy_no_client_chooses_the_address_that_a_lockout_counts()
    {
        var gateway = await StartAsync(trusted: null);
        for (var i = 0; i <= Permits; i++) Assert.Equal(i < Permits ? 401 : 429, await DeleteAsync(gateway, Junk(), $"X-Forwarded-For: 192.0.2.{i}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Authorization: Bearer no.token.atall")]
    [InlineData("X-API-Key: none")]
    public async Task Requests_without_a_token_cannot_fill_the_audit(string header)
    {
        var gateway = await StartAsync(trusted: "127.0.0.1");

        for (var i = 0; i < 20; i++) Assert.Equal(401, await DeleteAsync(gateway, header, "X-Forwarded-For: 192.0.2.1"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, Audited));
        Assert.Equal(401, await DeleteAsync(gateway, header, "X-Forwarded-For: 192.0.2.2"));
        Assert.Equal(2, gateway.Log.Count(LogLevel.Information, Audited));

        _time.Advance(TimeSpan.FromMinutes(1));
        for (var i = 0; i < 20; i++) Assert.Equal(401, await DeleteAsync(gateway, header, "X-Forwarded-For: 192.0.2.1"));
        Assert.Equal(3, gateway.Log.Count(LogLevel.Information, Audited));
    }

    [Fact]
    public async Task Requests_from_many_addresses_without_a_token_leave_the_audit_bounded()
    {
        var gateway = await StartAsync(trusted: "127.0.0.1");

        for (var i = 0; i < 1_200; i++) Assert.Equal(401, await DeleteAsync(gateway, $"X-Forwarded-For: 10.0.{i / 250}.{i % 250}"));
        Assert.Equal(1_025, gateway.Log.Count(LogLevel.Information, Audited));
    }

    [Fact]
    public async Task Each_request_of_a_known_caller_is_audited()
    {
        var gateway = await StartAsync(trusted: "127.0.0.1");
        var token = $"Authorization: Bearer {_world.Token("o-acme")}";

        for (var i = 0; i < 3; i++) Assert.Equal(403, await DeleteAsync(gateway, token));
        Assert.Equal(3, gateway.Log.Count(LogLevel.Information, Audited));
    }

    private static string Junk() => $"Authorization: Bearer {Guid.NewGuid():N}.{Guid.NewGuid():N}.{Guid.NewGuid():N}";

    private Task<RunningGateway> StartAsync(string? trusted, string allowed = "127.0.0.1") => _world.StartGatewayAsync(settings =>
    {
        settings.WithoutRedis().AddKey("operator", _key, $$"""{ "Roles": ["gateway-operator"], "IpAllow": ["{{allowed}}"] }""")
            .Set("Edge:FailedAuthentications", $$"""{ "PermitLimit": {{Permits}}, "Window": "00:10:00" }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Set("Authorization:Policies:Operators", """{ "Roles": ["gateway-operator"] }""");
        if (trusted is not null) settings.Set("Edge:TrustedProxies", $"[\"{trusted}\"]");
    });

    private static async Task<int> DeleteAsync(RunningGateway gateway, params string[] headers) => (await RawHttp.SendAsync(
        gateway.ManagementUrl, "/organizations/o-acme/credentials", "DELETE", [.. headers.Where(static header => header.Length > 0)])).Status;
}
