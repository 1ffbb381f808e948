using System.Text.Json.Nodes;
using Gateway.Authentication;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests.Worlds;

/// <summary>
/// A platform on one cloud: an issuer of that cloud's form, its source of the gateway's own AWS identity, a Redis Cluster with TLS, a directory of
/// organizations in two accounts, and two replicas of the gateway.
/// </summary>
public abstract class CloudWorld : IAsyncLifetime
{
    public const string ApiKeyHeader = "X-API-Key";
    public const string ApiKeyName = "robot";
    public const string ApiKeyOrganization = "o-robots";
    public const string Operator = "platform-operator";
    public const string OwnAccount = "111122223333";
    public const string OtherAccount = "444455556666";

    private readonly List<GatewayProcess> _gateways = [];
    private RedisTopology _redis = null!;

    public World World { get; private set; } = null!;

    /// <summary>The two replicas.</summary>
    public IReadOnlyList<GatewayProcess> Replicas { get; private set; } = [];

    public string ApiKey { get; } = ApiKeyText.Create();

    /// <summary>The issuer of callers' tokens.</summary>
    public abstract string Issuer { get; }

    /// <summary>The access keys of the sessions that the cloud's platform led the gateway to.</summary>
    public abstract IEnumerable<string> OwnSessions { get; }

    public async ValueTask InitializeAsync()
    {
        IssuedSecrets.Add(ApiKey);
        World = await World.StartAsync();
        // Garnet is one server without TLS.
        _redis = await RedisTopology.StartAsync(RedisServer.IsReal ? RedisTopology.TlsCluster : RedisTopology.OneServer);
        await PrepareAsync();
        Replicas = await Task.WhenAll(StartGatewayAsync(), StartGatewayAsync());
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var gateway in _gateways) await gateway.DisposeAsync();
        await StopAsync();
        await _redis.DisposeAsync();
        await World.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>Starts one more replica.</summary>
    public async Task<GatewayProcess> StartGatewayAsync()
    {
        var folder = World.Folder(Change);
        var gateway = await GatewayProcess.StartAsync(folder, new Dictionary<string, string>(
        [
            .. World.Aws.EnvironmentVariables.Where(static variable => !AwsEmulator.IsKey(variable.Key)), .. _redis.Environment, .. IdentityVariables(folder),
        ]));
        lock (_gateways) _gateways.Add(gateway);
        return gateway;
    }

    /// <summary>Issues a token as the cloud's issuer does.</summary>
    public abstract string Token(string organization, params string[] roles);

    /// <summary>Sends a request to a replica.</summary>
    public Task<Response> SendAsync(
        int replica, string path, string? token = null, string method = "GET", Action<HttpRequestMessage>? change = null) =>
        World.Client.SendAsync(Replicas[replica].Url + path, token, method, change);

    /// <summary>Requests an organization's credentials at a replica, as its member.</summary>
    public Task<Response> VendAsync(int replica, string organization) => SendAsync(replica, Requests.CredentialsPath(organization), Token(organization));

    /// <summary>Starts what the cloud has beside <see cref="World"/>.</summary>
    protected virtual Task PrepareAsync() => Task.CompletedTask;

    protected virtual ValueTask StopAsync() => default;

    /// <summary>Configures the cloud's issuer and identity.</summary>
    protected abstract void Configure(JsonObject settings);

    /// <summary>The variables that the cloud's platform gives a process for its identity.</summary>
    protected abstract IReadOnlyDictionary<string, string> IdentityVariables(GatewayFolder folder);

    private void Change(JsonObject settings)
    {
        settings["ConnectionStrings"]!["Redis"] = _redis.ConnectionString;
        settings["Shutdown"] = JsonNode.Parse("""{ "Delay": "00:00:01", "Timeout": "00:00:30" }""");
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray(Operator) };
        settings["Authentication"] = JsonNode.Parse($$"""
            { "ApiKeys": { "Keys": {
              "{{ApiKeyName}}": { "Sha256": "{{ApiKeyText.Sha256Of(ApiKey)}}", "Organizations": ["{{ApiKeyOrganization}}"] } } } }
            """);
        settings["RateLimiting"] = JsonNode.Parse("""
            { "Policies": {
              "Once": { "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 1, "Window": "01:00:00", "Store": "Redis" } } }
            """);
        settings["ReverseProxy"]!["Routes"]!["limited"] = JsonNode.Parse("""
            {
              "ClusterId": "organizations", "AuthorizationPolicy": "OrganizationMember", "RateLimiterPolicy": "Once",
              "Match": { "Path": "/organizations/{organizationId}/limited/{**rest}" }
            }
            """);
        var module = settings["IotCredentials"]!;
        module["Directory"] = JsonNode.Parse($$"""
            { "Address": "{{World.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["{{OwnAccount}}", "{{OtherAccount}}"] }
            """);
        var profile = module["Profiles"]!["default"]!.AsObject();
        profile["RoleArn"] = "arn:{partition}:iam::{accountId}:role/iot-organization";
        profile.Remove("Region");
        Configure(settings);
    }
}
