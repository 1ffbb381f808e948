using System.Text.Json.Nodes;
using Sandbox;
using Testing;

namespace EndToEnd.Tests.Worlds;

/// <summary>Access tokens of an Amazon Cognito user pool, and an identity by EKS Pod Identity: an agent at an address, with a token in a file.</summary>
public sealed class AwsWorld : CloudWorld
{
    private const string Client = "1example23456789";
    private const string TokenFile = "agent-token";

    private CredentialAgent _agent = null!;

    public override string Issuer => World.Issuer.Issuer;

    public override IEnumerable<string> OwnSessions => _agent.Issued.Select(static session => session.AccessKeyId);

    public override string Token(string organization, params string[] roles) => World.Issuer.Issue(new TokenRequest
    {
        Subject = "alice",
        Audiences = [],
        Organizations = organization,
        Type = null,
        Scopes = ["openid"],
        Claims = new Dictionary<string, object?>
        {
            ["client_id"] = Client,
            ["token_use"] = "access",
            ["cognito:groups"] = roles,
            ["username"] = "alice",
            ["version"] = 2,
        },
    });

    protected override async Task PrepareAsync() => _agent = await CredentialAgent.StartAsync(World.Aws);

    protected override ValueTask StopAsync() => _agent.DisposeAsync();

    protected override void Configure(JsonObject settings) => settings["Authentication"]!["Schemes"] = JsonNode.Parse($$"""
        { "Cognito": {
          "Authority": "{{Issuer}}", "RequireHttpsMetadata": false, "ClientIds": ["{{Client}}"], "RoleClaim": "cognito:groups",
          "Organizations": { "Claim": "organizations", "Format": "ArrayOrSingle" } } }
        """);

    protected override IReadOnlyDictionary<string, string> IdentityVariables(GatewayFolder folder)
    {
        folder.Write(TokenFile, _agent.Token);
        return new Dictionary<string, string>
        {
            ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = $"{_agent.Url}/credentials",
            ["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = Path.Combine(folder.Path, TokenFile),
        };
    }
}
