using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary><c>deploy/azure/main.bicep</c>, as the compiler of Bicep reads it.</summary>
public sealed class AzureTests
{
    private static readonly Lazy<Task<ToolResult>> s_compiled = new(() => Tool.RunAsync(Tool.Bicep, ["build", Tool.Deploy("azure", "main.bicep"), "--stdout"]));

    [Fact]
    public async Task The_compiler_accepts_it_without_a_warning()
    {
        var compiled = await s_compiled.Value;

        Assert.Equal((0, ""), (compiled.ExitCode, compiled.Error));
        Assert.DoesNotContain("#disable", File.ReadAllText(Tool.Deploy("azure", "main.bicep")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_public_port_is_reachable_and_only_by_https()
    {
        var app = await AppAsync();
        var ingress = app["configuration"]!["ingress"]!.AsObject();

        Assert.Equal(["allowInsecure", "external", "targetPort", "transport"], ingress.Select(static member => member.Key).Order());
        Assert.Equal((8080, false), ((int)ingress["targetPort"]!, (bool)ingress["allowInsecure"]!));
        var probes = Container(app)["probes"]!.AsArray().Select(static probe => (
            (string)probe!["type"]!, (string)probe["httpGet"]!["path"]!, (int)probe["httpGet"]!["port"]!));
        Assert.Equal([("Startup", "/health/live", 9090), ("Liveness", "/health/live", 9090), ("Readiness", "/health/ready", 9090)], probes);
        Assert.Equal("Disabled", (string?)(await ResourceAsync("Microsoft.Cache/redisEnterprise"))["properties"]!["publicNetworkAccess"]);
    }

    [Fact]
    public async Task Secrets_are_secure_parameters_and_no_variable_holds_one()
    {
        var template = JsonNode.Parse((await s_compiled.Value).Output)!;
        var app = await AppAsync();
        var secrets = app["configuration"]!["secrets"]!.AsArray()
            .ToDictionary(static secret => (string)secret!["name"]!, static secret => (string)secret!["value"]!);
        var fromSecrets = Container(app)["env"]!.AsArray().Where(static variable => variable!["secretRef"] is not null);

        Assert.Equal("securestring", (string?)template["parameters"]!["sealingKeys"]!["type"]);
        Assert.Equal("[parameters('sealingKeys')]", secrets["sealing-keys"]);
        Assert.Contains("listKeys", secrets["redis"], StringComparison.Ordinal);
        Assert.Equal(["ConnectionStrings__Redis"], fromSecrets.Select(static variable => (string)variable!["name"]!));
        Assert.DoesNotContain("listKeys", Container(app).ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain("listKeys", template["outputs"]!.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ingress_is_a_trusted_proxy_wherever_it_connects_from()
    {
        var proxies = Container(await AppAsync())["env"]!.AsArray()
            .Where(static variable => ((string)variable!["name"]!).StartsWith("Edge__TrustedProxies__", StringComparison.Ordinal))
            .Select(static variable => (string?)variable!["value"]);

        Assert.Equal(["[variables('appsSubnetPrefix')]", "100.100.0.0/17"], proxies);
    }

    [Fact]
    public async Task The_gateway_accepts_its_variables()
    {
        var folder = Directory.CreateTempSubdirectory("secrets-").FullName;
        var keys = Path.Combine(folder, "sealing-keys");
        File.WriteAllText(keys, GatewayFolder.NewSealingKey());
        // What the platform puts in place of the expressions.
        var evaluated = new Dictionary<string, string>
        {
            ["ConnectionStrings__Redis"] = "gateway.westeurope.redis.azure.net:10000,ssl=true,password=abc",
            ["Sealing__KeyPath"] = keys,
            ["Edge__TrustedProxies__0"] = "10.0.0.0/23",
            ["Shutdown__Delay"] = "00:00:15",
            ["Shutdown__Timeout"] = "00:00:30",
            ["AWS_REGION"] = "ap-northeast-1",
            ["IotCredentials__AwsIdentity__RoleArn"] = "arn:aws:iam::111122223333:role/iot-gateway",
            ["IotCredentials__AwsIdentity__Audience"] = "api://22222222-3333-4444-5555-666666666666",
            ["IotCredentials__AwsIdentity__ClientId"] = "77777777-8888-9999-0000-111111111111",
        };
        var variables = Container(await AppAsync())["env"]!.AsArray().Select(variable =>
        {
            var (name, value) = ((string)variable!["name"]!, (string?)variable["value"]);
            var isLiteral = value is not null && !value.StartsWith('[');
            return KeyValuePair.Create(name, isLiteral ? value! : evaluated[name]);
        });

        await GatewayCheck.PassesAsync(GatewayCheck.ShippedFolder, variables);
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<JsonObject> AppAsync() => (await ResourceAsync("Microsoft.App/containerApps"))["properties"]!.AsObject();

    private static JsonNode Container(JsonObject app) => Assert.Single(app["template"]!["containers"]!.AsArray())!;

    private static async Task<JsonNode> ResourceAsync(string type)
    {
        var resources = JsonNode.Parse((await s_compiled.Value).Output)!["resources"]!;
        var all = resources is JsonObject named ? named.Select(static member => member.Value!) : resources.AsArray().Select(static item => item!);
        return all.Single(resource => (string?)resource["type"] == type);
    }
}
