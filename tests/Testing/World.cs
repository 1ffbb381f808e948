using System.Text.Json.Nodes;
using Amazon;
using Amazon.Runtime;
using IotCredentials;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;

namespace Testing;

/// <summary>
/// A platform on one machine, real parts only: an OpenID issuer, STS and AWS IoT, a Redis, a downstream service, and as many gateways in
/// front as a test starts, in this process or in their own.
/// </summary>
public sealed class World : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _gateways = [];
    private readonly string _sealingKey = GatewayFolder.NewSealingKey();

    // The SDK remembers an address's clock offset for the whole process, and a later emulator may get the same port.
    static World() => AWSConfigs.CorrectForClockSkew = false;

    private World(OpenIdProvider issuer, AwsEmulator aws, RedisServer redis, OrganizationService downstream, TimeProvider time, bool ownsRedis)
    {
        Issuer = issuer;
        Aws = aws;
        Redis = redis;
        Downstream = downstream;
        Time = time;
        OwnsRedis = ownsRedis;
    }

    public OpenIdProvider Issuer { get; }

    public AwsEmulator Aws { get; }

    public RedisServer Redis { get; }

    public OrganizationService Downstream { get; }

    public TimeProvider Time { get; }

    public string KeyPrefix { get; } = $"world-{Guid.NewGuid():N}:";

    public HttpClient Client { get; } = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        // A gateway in this process traces the process's clients, and these would send its trace.
        ActivityHeadersPropagator = null,
    });

    private bool OwnsRedis { get; }

    /// <param name="time">The clock of STS and of gateways in this process; null: the system's. Tokens are always validated by the system's clock.</param>
    /// <param name="ownRedis">Whether the world has its own Redis, which the test may kill.</param>
    /// <param name="pausableRedis">Whether the world has its own Redis, which the test may kill and pause.</param>
    public static async Task<World> StartAsync(TimeProvider? time = null, bool ownRedis = false, bool pausableRedis = false)
    {
        var clock = time ?? TimeProvider.System;
        var aws = await AwsEmulator.StartAsync(time: clock);
        // The SDK signs by the system's clock, not by the test's.
        aws.CheckSignatureDate = time is null;
        return new(
            await OpenIdProvider.StartAsync(), aws,
            pausableRedis ? await RedisServer.StartProcessAsync() : ownRedis ? await RedisServer.StartAsync() : await RedisServer.SharedAsync(),
            await OrganizationService.StartAsync(), clock, ownRedis || pausableRedis);
    }

    /// <summary>The configuration of gateways unless a test changes it. A busy machine meets its timeout.</summary>
    public JsonObject Settings() => JsonNode.Parse($$"""
        {
          "Urls": "http://127.0.0.1:0",
          "Management": { "Url": "http://127.0.0.1:0" },
          "ConnectionStrings": { "Redis": "{{Redis.ConnectionString}}" },
          "Sealing": { "KeyPath": "sealing-keys" },
          "Authentication": { "Schemes": { "Platform": {
            "Authority": "{{Issuer.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"],
            "Organizations": { "Claim": "organizations", "Format": "Array" } } } },
          "Authorization": { "Policies": {
            "OrganizationMember": { "RequireOrganization": true },
            "IotOperator": { "RequireOrganization": true, "Scopes": ["iot.connect"], "Roles": ["operator"] } } },
          "IotCredentials": {
            "Timeout": "00:00:20",
            "OrganizationId": { "Prefix": "o-", "Characters": "A-Za-z0-9" },
            "Cache": { "KeyPrefix": "{{KeyPrefix}}" },
            "Profiles": { "default": {
              "RoleArn": "arn:aws:iam::111122223333:role/iot-organization", "Region": "ap-northeast-1",
              "SessionPolicy": "policies/organization.json", "SessionTags": { "organizationId": "{organizationId}" } } } },
          "ReverseProxy": {
            "Routes": {
              "iot-endpoint-and-credentials": {
                "Match": { "Path": "/organizations/{organizationId}/iot-endpoint-and-credentials" },
                "AuthorizationPolicy": "OrganizationMember",
                "Metadata": { "Module": "IotCredentials", "Profile": "default" } },
              "organizations": {
                "ClusterId": "organizations", "AuthorizationPolicy": "OrganizationMember",
                "Match": { "Path": "/organizations/{organizationId}/{**rest}" } } },
            "Clusters": { "organizations": { "Destinations": { "a": { "Address": "{{Downstream.Url}}" } } } } },
          "Logging": { "LogLevel": { "Default": "Information" } }
        }
        """)!.AsObject();

    /// <summary>Starts a gateway in this process.</summary>
    /// <param name="change">Changes <see cref="Settings"/>.</param>
    /// <param name="replace">Adds to the gateway's services, or replaces some.</param>
    public async Task<RunningGateway> StartGatewayAsync(Action<JsonObject>? change = null, Action<IServiceCollection>? replace = null)
    {
        var gateway = await RunningGateway.StartAsync(this, Folder(change), replace);
        _gateways.Add(gateway);
        return gateway;
    }

    /// <summary>Starts a gateway in a process of its own.</summary>
    public async Task<GatewayProcess> StartGatewayProcessAsync(
        Action<JsonObject>? change = null, IEnumerable<KeyValuePair<string, string>>? environment = null, int? maxFiles = null)
    {
        var folder = Folder(change);
        var gateway = await GatewayProcess.StartAsync(folder, [.. Aws.EnvironmentVariables, .. environment ?? []], maxFiles);
        _gateways.Add(gateway);
        // A request waits for the issuer's keys, but on a busy machine not as long as their first fetch can take. The log tells of it at its usual level.
        var settings = JsonNode.Parse(folder.Read("appsettings.json"))!;
        if (Issuer.BeforeDocument is null && (string?)settings["Authentication"]?["Schemes"]?["Platform"]?["Authority"] == Issuer.Issuer
            && settings["Logging"]?["LogLevel"]?.ToJsonString() == """{"Default":"Information"}""")
            await Eventually.IsTrueAsync(() => gateway.Output.Contains("issuer have changed", StringComparison.Ordinal), () => gateway.Output);
        return gateway;
    }

    /// <summary>Makes a configuration folder for a gateway of this world, with the world's sealing key.</summary>
    public GatewayFolder Folder(Action<JsonObject>? change = null)
    {
        var settings = Settings();
        change?.Invoke(settings);
        var folder = new GatewayFolder(settings);
        folder.Write("sealing-keys", _sealingKey);
        return folder;
    }

    /// <summary>Directs a gateway in this process to the emulator of AWS.</summary>
    public void UseAws(IServiceCollection services) => services.Configure<AwsClientOptions>(aws =>
    {
        aws.Credentials = new BasicAWSCredentials(Aws.BaseCredentials.AccessKeyId, Aws.BaseCredentials.SecretAccessKey);
        aws.StsUrl = new Uri(Aws.Url);
        aws.IotUrl = new Uri(Aws.Url);
    });

    /// <summary>Issues a valid token for a member of organizations.</summary>
    public string Token(params string[] organizations) => Issuer.Issue(new TokenRequest { Organizations = organizations });

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        await Downstream.DisposeAsync();
        await Aws.DisposeAsync();
        await Issuer.DisposeAsync();
        if (OwnsRedis) await Redis.DisposeAsync();
    }
}
