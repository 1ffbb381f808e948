using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>What an operator changes in the files of a gateway that runs.</summary>
public sealed class ReloadTests : IAsyncLifetime
{
    private World _world = null!;
    private RunningGateway _gateway = null!;
    private JsonObject _settings = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync();
        _gateway = await _world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis().Route("plain", "/plain/{**rest}");
            _settings = settings;
        });
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_policy_holds_from_the_next_request_on_the_same_connection_too()
    {
        using var connection = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 });
        var viewer = _world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Roles = (string[])["viewer"] });
        Assert.Equal(200, (await connection.SendAsync($"{_gateway.Url}/organizations/o-acme/a", viewer)).Status);
        Assert.Equal(200, (await connection.SendAsync(_gateway.Url + Requests.CredentialsPath("o-acme"), viewer)).Status);

        await ChangeAsync(settings => settings.Set("Authorization:Policies:OrganizationMember:Roles", """["operator"]"""));
        Assert.Equal(403, (await connection.SendAsync($"{_gateway.Url}/organizations/o-acme/a", viewer)).Status);
        Assert.Equal(403, (await connection.SendAsync(_gateway.Url + Requests.CredentialsPath("o-acme"), viewer)).Status);

        await ChangeAsync(settings => settings.Set("Authorization:Policies:OrganizationMember", """{ "RequireOrganization": true }"""));
        Assert.Equal(200, (await connection.SendAsync($"{_gateway.Url}/organizations/o-acme/a", viewer)).Status);
    }

    [Fact]
    public async Task Routes_come_go_and_lead_elsewhere()
    {
        await using var other = await OrganizationService.StartAsync();
        Assert.Equal(404, (await GetAsync("/new/1")).Status);

        await ChangeAsync(settings => settings.Route("new", "/new/{**rest}"));
        Assert.Equal(200, (await GetAsync("/new/1")).Status);

        await ChangeAsync(settings => settings.Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"{other.Url}\""));
        Assert.Equal(200, (await GetAsync("/new/2")).Status);
        Assert.Contains(other.Requests.Snapshot(), request => request.Target == "/new/2");

        await ChangeAsync(settings => settings["ReverseProxy"]!["Routes"]!.AsObject().Remove("new"));
        Assert.Equal(404, (await GetAsync("/new/3")).Status);
    }

    [Fact]
    public async Task Limits_CORS_body_sizes_timeouts_and_addresses_are_changed_live()
    {
        await ChangeAsync(settings => settings
            .Set("RateLimiting:Policies:One", """{ "Algorithm": "FixedWindow", "PartitionBy": "Route", "PermitLimit": 1, "Window": "01:00:00" }""")
            .Set("ReverseProxy:Routes:plain:RateLimiterPolicy", "\"One\""));
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);
        Assert.Equal(429, (await GetAsync("/plain/1")).Status);

        // What did not change keeps its count.
        await ChangeAsync(settings => settings.Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"] }"""));
        Assert.Equal(429, (await GetAsync("/plain/1")).Status);
        await ChangeAsync(settings => settings.Set("RateLimiting:Policies:One:PermitLimit", "1000"));
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);

        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:CorsPolicy", "\"Web\""));
        var allowed = await _gateway.SendAsync("/plain/1", _world.Token(), change: request => request.Headers.Add("Origin", "https://app.example.com"));
        Assert.Equal("https://app.example.com", allowed.Headers.GetValues("Access-Control-Allow-Origin").Single());
        await ChangeAsync(settings => settings.Set("Cors:Policies:Web:Origins", """["https://other.example.com"]"""));
        var refused = await _gateway.SendAsync("/plain/1", _world.Token(), change: request => request.Headers.Add("Origin", "https://app.example.com"));
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));

        Assert.Equal(200, (await PostAsync(new string('x', 100))).Status);
        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:MaxRequestBodySize", "99"));
        Assert.Equal(413, (await PostAsync(new string('x', 100))).Status);
        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:MaxRequestBodySize", "100"));
        Assert.Equal(200, (await PostAsync(new string('x', 100))).Status);

        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:Metadata:IpAllow", "\"10.0.0.0/8, 192.0.2.1\""));
        Assert.Equal(403, (await GetAsync("/plain/1")).Status);
        Assert.Equal(401, (await _gateway.SendAsync("/plain/1")).Status);
        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:plain:Metadata:IpAllow", "\"10.0.0.0/8 127.0.0.0/8\""));
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);

        async Task<Response> PostAsync(string body) =>
            await _gateway.SendAsync("/plain/1", _world.Token(), "POST", request => request.Content = new StringContent(body));
    }

    [Fact]
    public async Task An_open_route_that_lists_addresses_is_open_to_those_alone()
    {
        await ChangeAsync(
            settings => settings.Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous", "Metadata": { "IpAllow": "10.0.0.0/8" } }"""));
        Assert.Equal(403, (await _gateway.SendAsync("/open/1")).Status);

        await ChangeAsync(settings => settings.Set("ReverseProxy:Routes:open:Metadata:IpAllow", "\"127.0.0.1\""));
        Assert.Equal(200, (await _gateway.SendAsync("/open/1")).Status);
    }

    [Fact]
    public async Task Profiles_organizations_and_templates_are_changed_live()
    {
        Assert.Equal(200, (await _gateway.VendAsync("o-acme")).Status);
        var before = Assert.Single(_world.Aws.Calls.Snapshot(), call => call.AssumeRole is not null).AssumeRole!;

        await ChangeAsync(
            settings => settings.Set("IotCredentials:Organizations:o-acme", """
                { "RoleArn": "arn:aws:iam::444455556666:role/iot", "Region": "eu-west-1", "IotEndpoint": "abc-ats.iot.eu-west-1.amazonaws.com" }
                """));
        var dedicated = await _gateway.VendAsync("o-acme");
        Assert.Equal("eu-west-1", dedicated.Data.GetProperty("awsRegion").GetString());

        var template = JsonNode.Parse(_gateway.Folder.Read("policies/organization.json"))!;
        template["Statement"]!.AsArray().RemoveAt(1);
        _gateway.Folder.Write("policies/organization.json", template.ToJsonString());
        await LookAsync();
        Assert.False(_gateway.IsConfigurationRefused, _gateway.Log.Text);
        await _gateway.VendAsync("o-acme");
        Assert.NotEqual(before.Policy, _world.Aws.Calls.Snapshot().Last(call => call.AssumeRole is not null).AssumeRole!.Policy);
    }

    [Theory]
    [InlineData("ReverseProxy:Routes:plain:AuthorisationPolicy", "\"OrganizationMember\"")]
    [InlineData("ReverseProxy:Routes:plain:ClusterId", "\"none\"")]
    [InlineData("IotCredentials:Profiles:default:SessionPolicy", "\"none.json\"")]
    [InlineData("ReverseProxy:Routes:plain:Transforms", """[{ "PathPrefx": "/x" }]""")]
    public async Task A_change_that_does_not_validate_changes_nothing_and_is_told_once(string key, string json)
    {
        using var measured = new Measurements(_gateway);
        await ChangeAsync(settings => settings.Set(key, json).Route("new", "/new/{**rest}"), isGood: false);
        await LookAsync();
        await LookAsync();

        Assert.Equal(404, (await GetAsync("/new/1")).Status);
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);
        Assert.Equal(200, (await _gateway.VendAsync("o-acme")).Status);
        Assert.Equal(1, _gateway.Log.Count(Microsoft.Extensions.Logging.LogLevel.Error, "is rejected"));
        Assert.Contains($"error {key}", _gateway.Log.Text, StringComparison.Ordinal);
        Assert.Equal((200, "Degraded"), await ReadyAsync());
        Assert.Equal((1, 1), (measured["gateway.configuration.reloads refused"], measured["gateway.configuration.refused"]));

        await ChangeAsync(settings =>
        {
            var names = key.Split(':');
            var section = names[..^1].Aggregate((JsonNode)settings, (node, name) => node[name]!);
            if (names[^1] is "AuthorisationPolicy" or "Transforms") section.AsObject().Remove(names[^1]);
            else section[names[^1]] = names[^1] == "ClusterId" ? "organizations" : "policies/organization.json";
        });
        Assert.Equal(200, (await GetAsync("/new/1")).Status);
        Assert.Equal((200, "Healthy"), await ReadyAsync());
        Assert.Equal((1, 0), (measured["gateway.configuration.reloads applied"], measured["gateway.configuration.refused"]));
    }

    [Fact]
    public async Task A_change_that_somebody_cannot_use_is_taken_back_whole()
    {
        await ChangeAsync(settings => settings.Set("AllowedHosts", "\"é..\"").Route("new", "/new/{**rest}"), isGood: false);

        Assert.Equal(404, (await GetAsync("/new/1")).Status);
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);
        Assert.Equal((200, "Degraded"), await ReadyAsync());

        await ChangeAsync(settings => settings.Remove("AllowedHosts"));
        Assert.Equal(200, (await GetAsync("/new/1")).Status);
        Assert.Equal((200, "Healthy"), await ReadyAsync());
    }

    [Theory]
    [InlineData("Urls", "\"http://127.0.0.1:1\"")]
    [InlineData("Management:Url", "\"http://127.0.0.1:1\"")]
    [InlineData("Management:AuthorizationPolicy", "\"IotOperator\"")]
    [InlineData("Kestrel:Limits:MaxConcurrentConnections", "5")]
    [InlineData("ConnectionStrings:Redis", "\"localhost:1\"", "Sealing:KeyPath", "\"sealing-keys\"")]
    [InlineData("Shutdown:Timeout", "\"00:00:10\"")]
    [InlineData("Authentication:Schemes:Platform:ValidAudiences", """["api://gateway", "api://other"]""")]
    [InlineData("AzureAd", """{ "TenantId": "11111111-1111-1111-1111-111111111111", "ClientId": "c" }""", "AzureAd:ClientId")]
    [InlineData("IotCredentials:Cache:MaxEntries", "5")]
    [InlineData("IotCredentials:AwsIdentity", """{ "Source": "Default" }""", "IotCredentials:AwsIdentity:Source")]
    [InlineData(
        "IotCredentials:AwsIdentity", """{ "Source": "Azure", "RoleArn": "arn:aws:iam::111122223333:role/r", "Audience": "api://a" }""",
        "IotCredentials:AwsIdentity:RoleArn")]
    [InlineData("IotCredentials:OrganizationId:Prefix", "\"oo-\"")]
    [InlineData("IotCredentials:OrganizationId:Length:Max", "20")]
    [InlineData("Edge:Methods", """["GET"]""")]
    public async Task What_takes_a_restart_is_refused_by_name(string key, string json, string? second = null, string? secondJson = null)
    {
        await ChangeAsync(
            settings =>
            {
                settings.Set(key, json).Route("new", "/new/{**rest}");
                if (secondJson is not null) settings.Set(second!, secondJson);
            },
            isGood: false);

        await _gateway.Log.WaitForAsync(
            Microsoft.Extensions.Logging.LogLevel.Error, $"needs a restart: {(secondJson is null && second is not null ? second : key)}");
        Assert.Equal(404, (await GetAsync("/new/1")).Status);
        Assert.Equal((200, "Degraded"), await ReadyAsync());
    }

    [Fact]
    public async Task A_folder_that_is_gone_for_a_while_leaves_the_configuration_in_force()
    {
        var hidden = _gateway.Folder.Path + "-hidden";
        Directory.Move(_gateway.Folder.Path, hidden);
        await LookAsync();
        await LookAsync();
        Assert.Equal((200, "Degraded"), await ReadyAsync());
        Assert.Equal(200, (await GetAsync("/plain/1")).Status);

        Directory.Move(hidden, _gateway.Folder.Path);
        await LookAsync();
        Assert.Equal((200, "Healthy"), await ReadyAsync());
    }

    private Task<Response> GetAsync(string path) => _gateway.SendAsync(path, _world.Token());

    private async Task<(int Status, string Body)> ReadyAsync()
    {
        var answer = await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready");
        return (answer.Status, answer.Body);
    }

    private async Task ChangeAsync(Action<JsonObject> change, bool isGood = true)
    {
        change(_settings);
        _gateway.Folder.Write("appsettings.json", _settings.ToJsonString());
        await LookAsync();
        Assert.True(_gateway.IsConfigurationRefused == !isGood, _gateway.Log.Text);
    }

    private Task LookAsync() => _gateway.CheckForChangesAsync();
}
