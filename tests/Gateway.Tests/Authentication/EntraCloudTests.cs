using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Authentication.Keys;
using Gateway.Configuration.Loading;
using Gateway.Tests.Commands;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Microsoft Entra ID under its real addresses: its clouds' hosts lead to the test issuer, which is asked for nothing else.</summary>
public sealed class EntraCloudTests(EntraCloudTests.Cloud cloud) : IClassFixture<EntraCloudTests.Cloud>
{
    private const string Tenant = "aabbccdd-1111-4111-8111-aabbccddeeff";
    private const string Client = "66666666-7777-8888-9999-000000000000";
    private const string Path = "/organizations/o-acme/entra";

    // IdentityProviderTests runs the examples of other clouds.
    public static TheoryData<string, string> Documented => [.. DocumentationTests.ConfigurationExamples
        .Where(block => block.Data.Item2.Contains("\"AzureAd\"", StringComparison.Ordinal)
            && !block.Data.Item1.StartsWith(DocumentationTests.IdentityProviders, StringComparison.Ordinal))
        .Select(block => (block.Data.Item1, block.Data.Item2))];

    [Theory]
    [MemberData(nameof(Documented))]
    public async Task B1_an_example_of_the_documentation_takes_its_tenants_tokens(string place, string example)
    {
        var section = JsonNode.Parse(example, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!["AzureAd"]!.AsObject();
        string[] tenants = section["Tenants"] is JsonObject many ? [.. many.Select(tenant => tenant.Key)] : [section["TenantId"]!.GetValue<string>()];
        var audience = section["Audience"]?.GetValue<string>() ?? section["ClientId"]!.GetValue<string>();
        var gateway = await cloud.StartAsync(section.ToJsonString());

        foreach (var tenant in tenants)
        {
            var organization = section["Tenants"]?[tenant]?["Only"]?[0]?.GetValue<string>() ?? "o-acme";
            var token = Token($"https://login.microsoftonline.com/{tenant}/v2.0", tenant) with
            {
                Audiences = [audience],
                Organizations = (string[])[organization],
            };
            var answer = await gateway.SendAsync($"/organizations/{organization}/entra", cloud.World.Issuer.Issue(token));
            Assert.True(answer.Status == 200, $"{place}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
        }
    }

    [Theory]
    [InlineData("B1 no Instance", null, Tenant, "https://login.microsoftonline.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData(
        "B1 no slash at the end", "https://login.microsoftonline.com", Tenant,
        "https://login.microsoftonline.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData(
        "B8 a tenant in capitals", null, "AABBCCDD-1111-4111-8111-AABBCCDDEEFF",
        "https://login.microsoftonline.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData("B8 an older name", "https://login.windows.net/", Tenant, "https://login.microsoftonline.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData(
        "B8 US Government", "https://login.microsoftonline.us/", Tenant, "https://login.microsoftonline.us/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData(
        "B8 China", "https://login.partner.microsoftonline.cn/", Tenant,
        "https://login.partner.microsoftonline.cn/TENANT/v2.0", "https://sts.chinacloudapi.cn/TENANT/")]
    [InlineData(
        "B8 China's older name", "https://login.chinacloudapi.cn/", Tenant,
        "https://login.partner.microsoftonline.cn/TENANT/v2.0", "https://sts.chinacloudapi.cn/TENANT/")]
    [InlineData(
        "B8 a customers' tenant", "https://contoso.ciamlogin.com/", Tenant, "https://TENANT.ciamlogin.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    public async Task A_clouds_tokens_of_both_versions_are_taken(string name, string? instance, string tenant, params string[] issuers)
    {
        var section = new JsonObject { ["TenantId"] = tenant, ["ClientId"] = Client, ["Organizations"] = new JsonObject { ["Claim"] = "organizations" } };
        if (instance is not null) section["Instance"] = instance;
        var gateway = await cloud.StartAsync(section.ToJsonString());

        foreach (var issuer in issuers)
        {
            var answer = await gateway.SendAsync(Path, cloud.World.Issuer.Issue(Token(issuer.Replace("TENANT", Tenant, StringComparison.Ordinal), Tenant)));
            Assert.True(answer.Status == 200, $"{name}, {issuer}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
        }

        foreach (var other in (string[])
            ["https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", $"https://login.microsoftonline.de/{Tenant}/v2.0"])
            ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, cloud.World.Issuer.Issue(Token(other, Tenant))), tokenSent: true);
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData("https://login.microsoftonline.com/TENANT/v2.0/", "https://sts.windows.net/TENANT/")]
    [InlineData("https://login.microsoftonline.com/organizations/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/TENANT/v2.0")]
    [InlineData("https://login.microsoftonline.us/TENANT/v2.0", "https://sts.windows.net/TENANT/")]
    [InlineData("https://login.partner.microsoftonline.cn/TENANT/v2.0", "https://sts.chinacloudapi.cn/TENANT/")]
    public async Task B8_a_schemes_document_of_one_version_is_good_for_tokens_of_the_other(string authority, string issuer)
    {
        issuer = issuer.Replace("TENANT", Tenant, StringComparison.Ordinal);
        var gateway = await cloud.StartAsync(settings => settings
            .Set("Authentication:Schemes:Platform:Authority", $"\"{authority.Replace("TENANT", Tenant, StringComparison.Ordinal)}\"")
            .Set("Authentication:Schemes:Platform:RequireHttpsMetadata", "true")
            .Set("Authentication:Schemes:Platform:ValidIssuers", new JsonArray(issuer).ToJsonString()));

        var answer = await gateway.SendAsync(Path, cloud.World.Issuer.Issue(Token(issuer, Tenant) with { Audiences = ["api://gateway"] }));

        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}\n{gateway.Log.Text}");
    }

    [Theory]
    [InlineData("a key of every tenant", "https://login.microsoftonline.com/{tenantid}/v2.0", 200)]
    [InlineData("a key of the tenant", $"https://login.microsoftonline.com/{Tenant}/v2.0", 200)]
    [InlineData("a key without a tenant", null, 200)]
    [InlineData("a key of the tenant in China", $"https://login.partner.microsoftonline.cn/{Tenant}/v2.0", 200)]
    [InlineData("a key of personal accounts", "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0", 401)]
    [InlineData("a key of another tenant", "https://sts.windows.net/11111111-2222-3333-4444-555555555555/", 401)]
    public async Task A_key_of_one_tenant_signs_for_no_other(string name, string? keyIssuer, int status)
    {
        var isChina = keyIssuer?.Contains("partner", StringComparison.Ordinal) == true;
        string[] issuers = isChina
            ? [$"https://login.partner.microsoftonline.cn/{Tenant}/v2.0", $"https://sts.chinacloudapi.cn/{Tenant}/"]
            : [$"https://login.microsoftonline.com/{Tenant}/v2.0", $"https://sts.windows.net/{Tenant}/"];
        cloud.World.Issuer.KeySetText = keys =>
        {
            if (keyIssuer is not null)
                foreach (var key in keys) key!["issuer"] = keyIssuer;
            return new JsonObject { ["keys"] = keys.DeepClone() }.ToJsonString();
        };
        try
        {
            var gateway = await cloud.StartAsync(settings => settings
                .Set("Authentication:Schemes:Platform:Authority", $"\"https://{new Uri(issuers[0]).Host}/organizations/v2.0\"")
                .Set("Authentication:Schemes:Platform:RequireHttpsMetadata", "true")
                .Set("Authentication:Schemes:Platform:ValidIssuers", new JsonArray([.. issuers.Select(issuer => (JsonNode)issuer)]).ToJsonString()));

            foreach (var issuer in issuers)
            {
                var answer = await gateway.SendAsync(Path, cloud.World.Issuer.Issue(Token(issuer, Tenant) with { Audiences = ["api://gateway"] }));
                Assert.True(answer.Status == status, $"{name}, {issuer}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
            }
        }
        finally
        {
            cloud.World.Issuer.KeySetText = null;
        }
    }

    [Fact]
    public async Task B8_tenants_in_capitals_are_told_apart_as_ever()
    {
        var gateway = await cloud.StartAsync($$"""
            { "TenantId": "organizations", "ClientId": "{{Client}}", "Organizations": { "Claim": "organizations" },
              "Tenants": { "{{Tenant.ToUpperInvariant()}}": { "Only": ["o-acme"] } } }
            """);
        var token = cloud.World.Issuer.Issue(
            Token($"https://login.microsoftonline.com/{Tenant}/v2.0", Tenant) with { Organizations = (string[])["o-acme", "o-other"] });

        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);
        Assert.Equal(403, (await gateway.SendAsync("/organizations/o-other/entra", token)).Status);
    }

    [Theory]
    [InlineData("S26 an ID token without any usual claim, with roles", """{"roles":["reader"]}""", 401)]
    [InlineData(
        "S26 an ID token with a profile and roles",
        """{"roles":["reader"],"name":"Alice","preferred_username":"alice@example.com","oid":"1","ver":"2.0"}""", 401)]
    [InlineData("S26 an ID token as Entra writes it", """{"roles":["reader"],"uti":"a","rh":"b","aio":"c","sid":"d","nonce":"e"}""", 401)]
    [InlineData("S26 an access token of version 2", """{"scp":"iot.connect","azp":"app","azpacr":"0","name":"Alice","sid":"d","uti":"a"}""", 200)]
    [InlineData("S26 an access token of version 1", """{"scp":"iot.connect","appid":"app","appidacr":"0","amr":["pwd"]}""", 200)]
    [InlineData("S26 an access token of an application", """{"roles":["reader"],"azp":"app","idtyp":"app"}""", 200)]
    [InlineData("S26 a token that is bound to a key", """{"scp":"iot.connect","azp":"app","cnf":{"kid":"k"}}""", 401)]
    public async Task Entras_access_tokens_name_who_asked(string name, string claims, int status)
    {
        var token = Token($"https://login.microsoftonline.com/{Tenant}/v2.0", Tenant);
        token = token with
        {
            Claims = JsonNode.Parse(claims)!.AsObject().Append(new("tid", Tenant)).ToDictionary(claim => claim.Key, claim => (object?)claim.Value),
        };

        var answer = await cloud.OneTenant.SendAsync(Path, cloud.World.Issuer.Issue(token));

        Assert.True(answer.Status == status, $"{name}: {answer.Status} {answer.Body}\n{cloud.OneTenant.Log.Text}");
    }

    [Fact]
    public async Task B1_explain_judges_a_token_without_Instance()
    {
        using var folder = cloud.World.Folder(settings => settings.WithoutRedis().Set("AzureAd", Cloud.WithoutInstance));
        var token = cloud.World.Issuer.Issue(Token($"https://login.microsoftonline.com/{Tenant}/v2.0", Tenant));

        var explained = await CommandResult.RunAsync(
            ["explain", "--organization", "o-acme", "--token", token, "--format", "json", "--config", folder.Path], cloud.World.Aws.EnvironmentVariables);

        Assert.True(explained.ExitCode == 0, explained.Output + explained.Error);
        Assert.Equal("AzureAd", explained.Json.GetProperty("token").GetProperty("scheme").GetString());
        Assert.Equal(0, explained.Json.GetProperty("token").GetProperty("failures").GetArrayLength());
    }

    [Theory]
    [InlineData(
        "B8 a domain",
        """{ "TenantId": "contoso.onmicrosoft.com", "ClientId": "c" }""",
        "AzureAd:TenantId",
        "contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration")]
    [InlineData("B8 a domain of one's own", """{ "TenantId": "example.com", "ClientId": "c" }""", "AzureAd:TenantId", "Write the id")]
    [InlineData("B8 a slip in the id", """{ "TenantId": "aabbccdd-1111-4111-8111-aabbccddeef", "ClientId": "c" }""", "AzureAd:TenantId", "Write the id")]
    [InlineData(
        "B8 a domain among many",
        """{ "TenantId": "common", "ClientId": "c", "Tenants": { "contoso.com": {} } }""",
        "AzureAd:Tenants:contoso.com",
        "Write the id")]
    [InlineData(
        "B8 Azure AD B2C",
        """{ "Instance": "https://contoso.b2clogin.com/", "TenantId": "aabbccdd-1111-4111-8111-aabbccddeeff", "ClientId": "c" }""",
        "AzureAd:Instance",
        "Authentication:Schemes")]
    public void What_cannot_work_is_an_error_that_says_what_to_write(string name, string section, string key, string advice)
    {
        using var folder = cloud.World.Folder(settings => settings.WithoutRedis().Set("AzureAd", section));

        var read = ConfigurationFolder.Load(["--config", folder.Path], "Production", new Dictionary<string, string?>());

        var finding = Assert.Single(read.Findings);
        Assert.True(finding.Key == key && finding.Message.Contains(advice, StringComparison.Ordinal), $"{name}: {finding}");
    }

    [Theory]
    [InlineData("B7 AD FS", "http://adfs.example.com/adfs/services/trust")]
    [InlineData("B7 Google", "accounts.google.com")]
    [InlineData("B7 a URN", "urn:example:issuer")]
    [InlineData("B7 a name", "example issuer")]
    [InlineData("B7 another address than the authority's", "https://id.example.com/tenant/")]
    public async Task An_issuer_is_text(string name, string issuer)
    {
        var gateway = await cloud.World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("Authentication:Schemes:Platform:ValidIssuers", new JsonArray(issuer).ToJsonString()));

        var answer = await gateway.SendAsync(Path, cloud.World.Issuer.Issue(new() { Issuer = issuer, Organizations = (string[])["o-acme"] }));

        Assert.True(answer.Status == 200, $"{name}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
        foreach (var other in (string[])[issuer.ToUpperInvariant(), issuer + "/", issuer.TrimEnd('/')[1..], cloud.World.Issuer.Issuer])
            ErrorResponseAssert.IsUnauthenticated(
                await gateway.SendAsync(Path, cloud.World.Issuer.Issue(new() { Issuer = other, Organizations = (string[])["o-acme"] })), tokenSent: true);
    }

    [Fact]
    public void B7_a_text_issuer_needs_no_https_given_up()
    {
        using var folder = cloud.World.Folder(settings => settings.WithoutRedis()
            .Set("Authentication:Schemes:Platform:Authority", "\"https://adfs.example.com/adfs\"")
            .Set("Authentication:Schemes:Platform:RequireHttpsMetadata", "true")
            .Set("Authentication:Schemes:Platform:ValidIssuers", """["http://adfs.example.com/adfs/services/trust"]"""));

        Assert.Empty(ConfigurationFolder.Load(["--config", folder.Path], "Production", new Dictionary<string, string?>()).Findings);
    }

    private static TokenRequest Token(string issuer, string tenant) => new()
    {
        Issuer = issuer,
        Audiences = [Client],
        Organizations = (string[])["o-acme"],
        Type = "JWT",
        Claims = new Dictionary<string, object?> { ["tid"] = tenant, ["scp"] = "iot.connect", ["azp"] = Client },
    };

    public sealed class Cloud : IAsyncLifetime
    {
        public const string WithoutInstance = $$"""{ "TenantId": "{{Tenant}}", "ClientId": "{{Client}}", "Organizations": { "Claim": "organizations" } }""";

        public World World { get; private set; } = null!;

        public RunningGateway OneTenant { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await World.StartAsync();
            OneTenant = await StartAsync(WithoutInstance);
        }

        public Task<RunningGateway> StartAsync(string section) => StartAsync(settings => settings.Set("AzureAd", section));

        public Task<RunningGateway> StartAsync(Action<JsonObject> change) => World.StartGatewayAsync(
            settings => change(settings.WithoutRedis()),
            services => services.AddSingleton(new IssuerDocuments(TimeProvider.System, new StandIn(World.Issuer.Issuer))));

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }

    /// <summary>Sends what is meant for any https address to the test issuer, and gives its documents that address.</summary>
    private sealed class StandIn(string issuer) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.RequestUri!.Scheme != "https") return await base.SendAsync(request, cancellationToken);
            var asked = request.RequestUri.GetLeftPart(UriPartial.Authority);
            request.RequestUri = new Uri(issuer + request.RequestUri.PathAndQuery);
            var response = await base.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            response.Content = new StringContent(text.Replace(issuer, asked, StringComparison.Ordinal));
            return response;
        }
    }
}
