using System.Collections.Frozen;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Gateway.Authentication;
using Gateway.Authorization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Identity.Web;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Microsoft Entra ID, posed by the test issuer: one signing key for all tenants, and the tenant in <c>iss</c> and <c>tid</c>.</summary>
public sealed class AzureAdTests(AzureAdTests.Entra platform) : IClassFixture<AzureAdTests.Entra>
{
    private const string First = "11111111-1111-4111-8111-111111111111";
    private const string Second = "22222222-2222-4222-8222-222222222222";
    private const string Third = "33333333-3333-4333-8333-333333333333";
    private const string Client = "cccccccc-cccc-4ccc-8ccc-cccccccccccc";
    private const string Path = "/organizations/o-a/azure";

    [Theory]
    [InlineData(Client)]
    [InlineData($"api://{Client}")]
    public async Task A_tenants_token_is_taken(string audience)
    {
        await AssertStatusAsync(200, platform.Gateway, Token(First) with { Audiences = [audience] });
        await AssertStatusAsync(200, platform.Many, Token(First) with { Audiences = [audience] });
    }

    // Microsoft.Identity.Web registers authorization handlers, beside which the gateway's comparison must still count.
    [Fact]
    public void Its_handlers_leave_the_direct_comparison_of_requirements_in_effect()
    {
        var authorization = (CallerAuthorizationService)platform.Gateway.Services.GetRequiredService<IAuthorizationService>();
        var caller = new ClaimsPrincipal(new CallerIdentity("https://id.example.com", "alice", DateTimeOffset.MaxValue)
        {
            Scheme = "AzureAd",
            NotBefore = DateTimeOffset.MinValue,
            Organizations = FrozenSet<string>.Empty,
            Roles = FrozenSet<string>.Empty,
            Scopes = FrozenSet<string>.Empty,
        });

        Assert.Contains(
            platform.Gateway.Services.GetServices<IAuthorizationHandler>(),
            static handler => handler.GetType().Assembly == typeof(ScopeAuthorizationRequirement).Assembly);
        Assert.True(authorization.Allows(caller, null, AuthorizationPolicies.AnyCaller.Requirements));
        Assert.False(authorization.Allows(caller, null, AuthorizationPolicies.Build(new() { Roles = ["operator"] }).Requirements));
    }

    [Fact]
    public async Task The_platforms_own_issuer_is_taken_beside_it() =>
        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token("o-a"))).Status);

    [Fact]
    public async Task Another_tenants_token_is_refused()
    {
        await AssertStatusAsync(401, platform.Gateway, Token(Second));
        await AssertStatusAsync(401, platform.Many, Token(Third));
        await AssertStatusAsync(401, platform.Gateway, Token("organizations"));
        await AssertStatusAsync(401, platform.Many, Token("organizations"));
    }

    [Fact]
    public async Task Another_applications_token_is_refused() =>
        await AssertStatusAsync(401, platform.Gateway, Token(First) with { Audiences = ["dddddddd-dddd-4ddd-8ddd-dddddddddddd"] });

    [Fact]
    public async Task A_token_needs_a_scope_or_a_role()
    {
        var claims = new Dictionary<string, object?> { ["tid"] = First, ["azp"] = Client };

        await AssertStatusAsync(401, platform.Gateway, Token(First) with { Claims = claims });
        await AssertStatusAsync(200, platform.Gateway, Token(First) with { Claims = claims, Roles = ["reader"] });
    }

    [Fact]
    public async Task A_tenant_speaks_only_for_the_organizations_that_it_may_speak_for()
    {
        Assert.Equal(200, (await platform.Many.SendAsync("/organizations/o-a/azure", platform.Issuer.Issue(Token(First)))).Status);
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.Many.SendAsync("/organizations/o-b/azure", platform.Issuer.Issue(Token(First))));
        Assert.Equal(200, (await platform.Many.SendAsync("/organizations/o-b/azure", platform.Issuer.Issue(Token(Second)))).Status);
    }

    [Theory]
    [InlineData(First, Second)]
    [InlineData(Second, First)]
    [InlineData(First, Third)]
    [InlineData(First, null)]
    public async Task An_issuer_and_a_tenant_that_disagree_are_refused(string issuer, string? tenant)
    {
        var claims = new Dictionary<string, object?> { ["scp"] = "iot.connect" };
        if (tenant is not null) claims["tid"] = tenant;

        await AssertStatusAsync(401, platform.Many, Token(issuer) with { Claims = claims });
    }

    [Fact]
    public async Task A_strangers_key_is_refused() =>
        await AssertStatusAsync(401, platform.Gateway, Token(First) with { Key = SigningKey.CreateRsa(), KeyId = platform.Issuer.CurrentKey.KeyId });

    [Fact]
    public async Task F5_tokens_cause_no_lines_of_libraries_and_a_refused_one_a_line_of_the_gateways()
    {
        for (var i = 0; i < 3; i++) await AssertStatusAsync(200, platform.Gateway, Token(First) with { Subject = $"s{i}" });
        await AssertStatusAsync(401, platform.Gateway, Token(First) with { Key = SigningKey.CreateRsa(), KeyId = platform.Issuer.CurrentKey.KeyId });
        await AssertStatusAsync(401, platform.Gateway, Token(First) with { Expires = TimeSpan.FromHours(-1), NotBefore = TimeSpan.FromHours(-2) });

        Assert.Equal(1, platform.Gateway.Log.Count(LogLevel.Information, "A token or API key was refused (scheme AzureAd): it expired"));
        foreach (var log in (string[])[platform.Gateway.Log.Text, platform.Many.Log.Text])
        {
            Assert.DoesNotContain("IDX", log, StringComparison.Ordinal);
            Assert.DoesNotContain("Microsoft.Identity", log, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Its_scopes_and_roles_are_read_under_Entras_names()
    {
        var operators = "/organizations/o-a/operators/azure";

        Assert.Equal(200, (await platform.SendAsync(operators, platform.Issuer.Issue(Token(First) with { Roles = ["operator"] }))).Status);
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync(operators, platform.Issuer.Issue(Token(First))));
    }

    private TokenRequest Token(string tenant) => new()
    {
        Issuer = $"{platform.Issuer.Issuer}/{tenant}/v2.0",
        Audiences = [Client],
        Organizations = (string[])["o-a", "o-b"],
        Type = "JWT",
        Claims = new Dictionary<string, object?> { ["tid"] = tenant, ["scp"] = "other iot.connect" },
    };

    private async Task AssertStatusAsync(int expected, RunningGateway gateway, TokenRequest request)
    {
        var answer = await gateway.SendAsync(Path, platform.Issuer.Issue(request));
        Assert.True(answer.Status == expected, $"{answer.Status} {answer.Body}\n{gateway.Log.Text}");
    }

    public sealed class Entra : PlatformFixture
    {
        public OpenIdProvider Issuer { get; private set; } = null!;

        /// <summary>A gateway for many tenants; the fixture's own is for the first alone.</summary>
        public RunningGateway Many { get; private set; } = null!;

        protected override async ValueTask PrepareAsync()
        {
            Issuer = await OpenIdProvider.StartAsync();
            Many = await World.StartGatewayAsync(settings => settings.WithoutRedis().Set("AzureAd", Section("organizations", $$"""
                , "Tenants": { "{{First}}": { "Only": ["o-a"] }, "{{Second}}": {} }
                """)));
        }

        protected override void Change(JsonObject settings) => settings.Set("AzureAd", Section(First, ""));

        private string Section(string tenant, string more) => $$"""
            {
              "Instance": "{{Issuer.Issuer}}/", "TenantId": "{{tenant}}", "ClientId": "{{Client}}", "RequireHttpsMetadata": false,
              "Organizations": { "Claim": "organizations", "Format": "Array" }{{more}}
            }
            """;
    }
}
