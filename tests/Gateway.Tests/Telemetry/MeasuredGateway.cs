using System.Text.Json.Nodes;
using Gateway.Tests.Authentication;
using Gateway.Tests.Hosting;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>
/// A gateway with every dependency, after an hour in which each of them worked and each failed, and what its <c>/metrics</c> returned at the end of it.
/// </summary>
public sealed class MeasuredGateway : IAsyncLifetime
{
    private readonly IssuedCertificates _certificates = new();
    private World _world = null!;
    private RunningGateway _gateway = null!;

    internal Scrape Scrape { get; private set; } = null!;

    internal string CertificateFile => _certificates.PathOf("tls/tls.crt");

    public async ValueTask InitializeAsync()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        _certificates.Write("tls", _certificates.Issue());
        _world = await World.StartAsync(time, ownRedis: true);
        _world.Downstream.Directory.Move("o-throttled", "111122223333", "ap-northeast-1");
        _gateway = await _world.StartGatewayAsync(Configure, static services => services.AddSingleton<IAuthorizationHandler, ThrowingHandler>());
        await VendAsync(time);
        await SendAsync();
        await _gateway.ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:ClusterId", "\"none\""));
        await ForgeEntryAsync();
        await LoseRedisAsync();
        time.Advance(TimeSpan.FromMinutes(1));
        // The exporter may return what it collected a moment ago.
        await WaitAsync(scrape => scrape.Sum("gateway_configuration_age_seconds") >= 61 * 60);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        _certificates.Dispose();
    }

    private void Configure(JsonObject settings) => settings
        .Set("Kestrel:Certificates:Default", $$"""{ "Path": "{{CertificateFile}}", "KeyPath": "{{_certificates.PathOf("tls/tls.key")}}" }""")
        .Set("IotCredentials:Directory", $$"""
            { "Address": "{{_world.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["111122223333"], "CacheFor": "04:00:00" }
            """)
        .Set("RateLimiting:Policies:Once", """
            { "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 1, "Window": "01:00:00", "Store": "Redis" }
            """)
        .AddIntrospection(_world.Issuer, new SecretFile())
        .Route("plain", "/plain/{**rest}")
        .Route("throws", "/throws/{**rest}")
        .Route("limited", "/limited/{**rest}", """{ "RateLimiterPolicy": "Once" }""")
        .Set("ReverseProxy:Clusters:weighted", $$"""
            {
              "LoadBalancingPolicy": "Weighted",
              "HealthCheck": { "Passive": { "Enabled": true } },
              "Destinations": {
                "stable": { "Address": "{{_world.Downstream.Url}}", "Metadata": { "Weight": "100" } },
                "canary": { "Address": "{{_world.Downstream.Url}}", "Metadata": { "Weight": "0" } }
              }
            }
            """)
        .Route("weighted", "/weighted/{**rest}", """{ "ClusterId": "weighted" }""")
        .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{FreePort.Find()}}/" } } }""")
        .Route("down", "/down/{**rest}", """{ "ClusterId": "down" }""");

    /// <summary>From STS, from memory, with half an hour left and a renewal behind the caller, and not at all.</summary>
    private async Task VendAsync(FakeTimeProvider time)
    {
        for (var i = 0; i < 2; i++) Assert.Equal(200, (await _gateway.VendAsync("o-acme")).Status);
        time.Advance(TimeSpan.FromHours(0.5) + TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await _gateway.VendAsync("o-acme")).Status);
        await WaitAsync(static scrape => scrape.Sum("iotcredentials_refreshes_total") == 1);
        using var throttling = _world.Aws.Inject(AwsFault.Throttling(), "AssumeRole");
        Assert.Equal(503, (await _gateway.VendAsync("o-throttled")).Status);
        time.Advance(TimeSpan.FromMinutes(29));
    }

    private async Task SendAsync()
    {
        var token = _world.Token("o-acme");
        await ExpectAsync(200, "/plain/1", token);
        await ExpectAsync(401, "/plain/1", token: null);
        await ExpectAsync(401, "/plain/1", _world.Issuer.Issue(new() { Audiences = (string[])["api://another"] }));
        await ExpectAsync(404, "/nowhere/1", token);
        await ExpectAsync(403, "/organizations/o-other/1", token);
        await ExpectAsync(500, "/throws/1", token);
        await ExpectAsync(502, "/down/1", token);
        await ExpectAsync(200, "/weighted/1", token);
        await ExpectAsync(200, "/limited/1", token);
        await ExpectAsync(429, "/limited/1", token);
        await ExpectAsync(200, "/plain/1", _world.Issuer.IssueOpaque(new() { Organizations = (string[])["o-acme"] }));
        await ExpectAsync(401, "/plain/1", "a-token-that-nobody-issued");
    }

    private async Task ExpectAsync(int status, string path, string? token)
    {
        var response = await _gateway.SendAsync(path, token);
        if (response.Status != status) Assert.Fail($"{path}: {response.Status} {response.Body}\n{_gateway.Log.Text}");
    }

    /// <summary>Puts what was sealed under another key in the place of a generation.</summary>
    private async Task ForgeEntryAsync()
    {
        await using var redis = await _world.Redis.ConnectAsync();
        var entry = redis.GetServers()[0].Keys(pattern: _world.KeyPrefix + "v2:*").First();
        var generations = _world.KeyPrefix + "forgotten";
        await redis.GetDatabase().HashSetAsync(generations, "o-other", await redis.GetDatabase().HashGetAsync(entry, "data"));
        await redis.GetSubscriber().PublishAsync(RedisChannel.Literal(generations), "o-other");
        await WaitAsync(static scrape => scrape.Sum("iotcredentials_refused_entries_total") >= 1);
    }

    private async Task LoseRedisAsync()
    {
        await _world.Redis.KillAsync();
        await WaitAsync(scrape => scrape.Sum("iotcredentials_redis_usable") == 0);
        await ExpectAsync(200, "/limited/1", _world.Issuer.Issue(new() { Subject = "bob" }));
    }

    private Task WaitAsync(Func<Scrape, bool> condition) => Eventually.IsTrueAsync(
        async () => condition(Scrape = await Scrape.ReadAsync(_world, _gateway)),
        () => string.Join('\n', Scrape.Lines));
}
