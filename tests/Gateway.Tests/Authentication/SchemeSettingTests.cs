using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>What a scheme's settings accept. Each scheme has the same keys and an issuer of its own.</summary>
public sealed class SchemeSettingTests(SchemeSettingTests.Schemes platform) : IClassFixture<SchemeSettingTests.Schemes>
{
    private const string Path = "/plain/settings";

    [Theory]
    [InlineData("B4 as Cognito writes it", "clients", """{"client_id":"app"}""", 200)]
    [InlineData("B4 as Keycloak writes it", "clients", """{"azp":"robot"}""", 200)]
    [InlineData("B4 as Okta writes it", "clients", """{"cid":"app"}""", 200)]
    [InlineData("B4 as Microsoft writes it", "clients", """{"appid":"app"}""", 200)]
    [InlineData("B4 several that are listed", "clients", """{"client_id":"app","azp":"robot","cid":"app","appid":"app"}""", 200)]
    [InlineData("B4 an audience that is not asked for", "clients", """{"client_id":"app","aud":"api://other"}""", 200)]
    [InlineData("B4 no client", "clients", "{}", 401)]
    [InlineData("B4 no client, and an audience", "clients", """{"aud":"app"}""", 401)]
    [InlineData("B4 another client", "clients", """{"client_id":"other"}""", 401)]
    [InlineData("B4 a client in other letters", "clients", """{"client_id":"APP"}""", 401)]
    [InlineData("B4 a client that begins like ours", "clients", """{"client_id":"app2"}""", 401)]
    [InlineData("B4 a second that is not listed", "clients", """{"client_id":"app","azp":"other"}""", 401)]
    [InlineData("B4 a last that is not listed", "clients", """{"client_id":"app","appid":"other"}""", 401)]
    [InlineData("B4 an empty client", "clients", """{"client_id":""}""", 401)]
    [InlineData("B4 a client of null", "clients", """{"client_id":null}""", 401)]
    [InlineData("B4 null beside a client that is listed", "clients", """{"client_id":"app","azp":null}""", 401)]
    [InlineData("B4 clients as an array", "clients", """{"client_id":["app"]}""", 401)]
    [InlineData("B4 a client in an object", "clients", """{"client":{"client_id":"app"}}""", 401)]
    [InlineData("B4 client and audience", "both", """{"client_id":"app","aud":["api://gateway"]}""", 200)]
    [InlineData("B4 a client and no audience", "both", """{"client_id":"app"}""", 401)]
    [InlineData("B4 a client and another audience", "both", """{"client_id":"app","aud":"api://other"}""", 401)]
    [InlineData("B4 an audience and no client", "both", """{"aud":"api://gateway"}""", 401)]
    [InlineData("B4 an audience and another client", "both", """{"aud":"api://gateway","client_id":"other"}""", 401)]
    [InlineData("B5 another subject claim", "subject", """{"act":{"client.id":"robot"}}""", 200)]
    [InlineData("B5 sub in its place", "subject", """{"sub":"alice"}""", 401)]
    [InlineData("B5 an empty one", "subject", """{"sub":"alice","act":{"client.id":""}}""", 401)]
    [InlineData("B5 one that is no text", "subject", """{"sub":"alice","act":{"client.id":7}}""", 401)]
    [InlineData("B5 several", "subject", """{"sub":"alice","act":{"client.id":["robot"]}}""", 401)]
    [InlineData("B5 null", "subject", """{"sub":"alice","act":{"client.id":null}}""", 401)]
    [InlineData("B5 client credentials without a setting", "plain", """{"client_id":"robot"}""", 401)]
    [InlineData("a sub that is a number", "plain", """{"sub":7}""", 401)]
    public async Task A_token_needs_what_its_scheme_asks_for(string name, string scheme, string claims, int status)
    {
        var token = new TokenRequest
        {
            Issuer = $"urn:{scheme}",
            Subject = scheme is "clients" or "both" ? "alice" : null,
            Audiences = scheme is "clients" or "both" ? [] : ["api://gateway"],
            Claims = JsonNode.Parse(claims)!.AsObject().ToDictionary(claim => claim.Key, claim => (object?)claim.Value),
        };

        var answer = await SendAsync(scheme, token);

        Assert.True(answer.Status == status, $"{name}: {answer.Status} {answer.Body}\n{platform.Gateway.Log.Text}");
    }

    [Fact]
    public async Task B5_the_caller_is_named_by_the_subject_claim_everywhere()
    {
        const string Target = "/plain/b5-subject";
        var token = new TokenRequest
        {
            Issuer = "urn:subject",
            Subject = "alice",
            Claims = new Dictionary<string, object?> { ["act"] = JsonNode.Parse("""{"client.id":"robot"}""") },
        };

        Assert.Equal(200, (await SendAsync("subject", token, Target)).Status);

        var received = Assert.Single(platform.Received(Target));
        Assert.Equal(["robot"], received.Headers["X-Gateway-Subject"]);
        Assert.Equal(["urn:subject"], received.Headers["X-Gateway-Issuer"]);
    }

    [Theory]
    [InlineData("plain", -15, -1000, 200)]
    [InlineData("plain", -45, -1000, 401)]
    [InlineData("plain", 1000, 15, 200)]
    [InlineData("plain", 1000, 60, 401)]
    [InlineData("skewed", -120, -1000, 200)]
    [InlineData("skewed", -310, -1000, 401)]
    [InlineData("skewed", 1000, 250, 200)]
    [InlineData("skewed", 1000, 400, 401)]
    [InlineData("exact", -2, -1000, 401)]
    [InlineData("exact", 1000, 60, 401)]
    [InlineData("exact", 1000, -2, 200)]
    public async Task A_schemes_clock_skew_is_its_own(string scheme, int expires, int notBefore, int status)
    {
        var token = new TokenRequest
        {
            Issuer = $"urn:{scheme}",
            NotBefore = TimeSpan.FromSeconds(notBefore),
            Expires = TimeSpan.FromSeconds(expires),
        };

        Assert.Equal(status, (await SendAsync(scheme, token)).Status);
    }

    [Fact]
    public async Task The_discovery_document_is_read_from_the_metadata_address()
    {
        Assert.Equal(200, (await SendAsync("metadata", new() { Issuer = "urn:metadata" })).Status);
        Assert.EndsWith("/tenant/v2.0/.well-known/openid-configuration", platform.Gateway.KeysOf("metadata").MetadataAddress, StringComparison.Ordinal);
    }

    // On a busy machine the first fetch of keys can take longer than a request waits for it.
    private async Task<Response> SendAsync(string scheme, TokenRequest token, string path = Path)
    {
        if (platform.Gateway.KeysOf(scheme).Current is null) await platform.Gateway.KeysOf(scheme).FetchAsync();
        return await platform.SendAsync(path, platform.World.Issuer.Issue(token));
    }

    public sealed class Schemes : PlatformFixture
    {
        protected override void Change(JsonObject settings)
        {
            settings.Set("Edge:FailedAuthentications:PermitLimit", "100000");
            Add("plain", """{ "ValidAudiences": ["api://gateway"] }""");
            Add("clients", """{ "ClientIds": ["app", "robot"] }""");
            Add("both", """{ "ClientIds": ["app", "robot"], "ValidAudiences": ["api://gateway"] }""");
            Add("subject", """{ "SubjectClaim": "act.client.id", "ValidAudiences": ["api://gateway"] }""");
            Add("skewed", """{ "ClockSkew": "00:05:00", "ValidAudiences": ["api://gateway"] }""");
            Add("exact", """{ "ClockSkew": "00:00:00", "ValidAudiences": ["api://gateway"] }""");
            Add("metadata", $$"""
                {
                  "Authority": "http://127.0.0.1:1/nobody", "ValidAudiences": ["api://gateway"],
                  "ValidIssuers": ["urn:metadata", "{{World.Issuer.Issuer}}/tenant/v2.0"],
                  "MetadataAddress": "{{World.Issuer.Issuer}}/tenant/v2.0/.well-known/openid-configuration"
                }
                """);

            void Add(string name, string json)
            {
                var scheme = JsonNode.Parse(json)!.AsObject();
                scheme["Authority"] ??= World.Issuer.Issuer;
                scheme["ValidIssuers"] ??= new JsonArray($"urn:{name}");
                scheme["RequireHttpsMetadata"] = false;
                settings.Set($"Authentication:Schemes:{name}", scheme.ToJsonString());
            }
        }
    }
}
