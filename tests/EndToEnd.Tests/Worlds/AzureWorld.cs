using System.Text.Json.Nodes;
using Sandbox;
using Testing;

namespace EndToEnd.Tests.Worlds;

/// <summary>
/// Access tokens of Microsoft Entra ID, version 2, and an identity by the managed identity of App Service or Container Apps, whose token AWS STS exchanges.
/// </summary>
public sealed class AzureWorld : CloudWorld
{
    private const string Tenant = "aabbccdd-1111-4111-8111-aabbccddeeff";
    private const string Application = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";

    private AzureEmulator _azure = null!;

    public override string Issuer => $"{World.Issuer.Issuer}/{Tenant}/v2.0";

    public override IEnumerable<string> OwnSessions =>
        World.Aws.Calls.Snapshot().Where(static call => call.Action == "AssumeRoleWithWebIdentity").Select(static call => call.Issued!.AccessKeyId);

    public override string Token(string organization, params string[] roles) => World.Issuer.Issue(new TokenRequest
    {
        Issuer = Issuer,
        Subject = "alice",
        Audiences = [Application],
        Organizations = (string[])[organization],
        Roles = roles,
        Type = "JWT",
        Claims = new Dictionary<string, object?>
        {
            ["tid"] = Tenant,
            ["azp"] = "88888888-cccc-4ccc-8ccc-cccccccccccc",
            ["scp"] = "iot.connect",
            ["oid"] = "99999999-cccc-4ccc-8ccc-cccccccccccc",
            ["ver"] = "2.0",
        },
    });

    protected override async Task PrepareAsync()
    {
        _azure = await AzureEmulator.StartAsync();
        _azure.LetIn(World.Aws);
    }

    protected override ValueTask StopAsync() => _azure.DisposeAsync();

    protected override void Configure(JsonObject settings)
    {
        settings["AzureAd"] = JsonNode.Parse($$"""
            {
              "Instance": "{{World.Issuer.Issuer}}/", "TenantId": "{{Tenant}}", "ClientId": "{{Application}}", "RequireHttpsMetadata": false,
              "Organizations": { "Claim": "organizations", "Format": "ArrayOrSingle" }
            }
            """);
        settings["IotCredentials"]!["AwsIdentity"] = JsonNode.Parse($$"""
            { "Source": "Azure", "RoleArn": "{{AzureEmulator.RoleArn}}", "Audience": "{{AzureEmulator.Audience}}", "ClientId": "{{AzureEmulator.ClientId}}" }
            """);
    }

    protected override IReadOnlyDictionary<string, string> IdentityVariables(GatewayFolder folder) => _azure.IdentityEndpointVariables;
}
