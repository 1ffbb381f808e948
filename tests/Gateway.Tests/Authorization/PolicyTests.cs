using System.Text.Json.Nodes;
using Sandbox;
using Xunit;

namespace Gateway.Tests.Authorization;

public sealed class PolicyTests(PolicyTests.Policies platform) : IClassFixture<PolicyTests.Policies>
{
    public static TheoryData<string, string[], string[], int> Callers => new()
    {
        { "/organizations/o-acme/operators/1", ["iot.connect"], ["operator"], 200 },
        { "/organizations/o-acme/operators/1", ["other", "iot.connect"], ["viewer", "operator"], 200 },
        { "/organizations/o-acme/operators/1", ["iot.connect"], [], 403 },
        { "/organizations/o-acme/operators/1", [], ["operator"], 403 },
        { "/organizations/o-acme/operators/1", [], [], 403 },
        { "/organizations/o-acme/operators/1", ["operator"], ["iot.connect"], 403 },
        { "/organizations/o-acme/operators/1", ["iot.connect.all"], ["operator"], 403 },
        { "/organizations/o-acme/operators/1", ["IOT.CONNECT"], ["operator"], 403 },
        { "/organizations/o-other/operators/1", ["iot.connect"], ["operator"], 403 },
        { "/scoped/1", ["a"], [], 200 },
        { "/scoped/1", ["b"], [], 200 },
        { "/scoped/1", ["c"], [], 403 },
        { "/roles/1", [], ["a"], 200 },
        { "/roles/1", [], ["b"], 200 },
        { "/roles/1", [], ["c"], 403 },
    };

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task A_policy_asks_for_any_of_its_scopes_and_any_of_its_roles(string path, string[] scopes, string[] roles, int expected)
    {
        var token = platform.World.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Scopes = scopes, Roles = roles });

        Assert.Equal(expected, (await platform.SendAsync(path, token)).Status);
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(path), tokenSent: false);
    }

    [Fact]
    public async Task Scopes_may_be_an_array_and_a_role_a_string()
    {
        Assert.Equal(200, (await platform.SendAsync("/scoped/1", With("scope", (string[])["x", "b"]))).Status);
        Assert.Equal(200, (await platform.SendAsync("/roles/1", With("roles", "b"))).Status);
    }

    [Fact]
    public async Task What_is_written_in_another_way_is_no_scope_and_no_role()
    {
        Assert.Equal(403, (await platform.SendAsync("/roles/1", With("roles", "a b"))).Status);
        Assert.Equal(403, (await platform.SendAsync("/roles/1", With("role", (string[])["a"]))).Status);
        Assert.Equal(403, (await platform.SendAsync("/roles/1", With("roles", new Dictionary<string, string> { ["a"] = "a" }))).Status);
        Assert.Equal(403, (await platform.SendAsync("/scoped/1", With("scope", "a,b"))).Status);
        Assert.Equal(403, (await platform.SendAsync("/scoped/1", With("scp", "a"))).Status);
    }

    [Fact]
    public async Task A_scheme_names_its_own_claims_and_another_schemes_do_not_count()
    {
        Assert.Equal(200, (await platform.SendAsync("/scoped/1", Other("permissions", "a"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/roles/1", Other("groups", (string[])["a"]))).Status);
        Assert.Equal(403, (await platform.SendAsync("/scoped/1", Other("scope", "a"))).Status);
        Assert.Equal(403, (await platform.SendAsync("/roles/1", Other("roles", (string[])["a"]))).Status);
        Assert.Equal(403, (await platform.SendAsync("/scoped/1", With("permissions", "a"))).Status);
        Assert.Equal(403, (await platform.SendAsync("/roles/1", With("groups", (string[])["a"]))).Status);
    }

    [Fact]
    public async Task A_route_without_a_policy_needs_a_caller_and_no_more()
    {
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync("/plain/policy"), tokenSent: false);
        Assert.Equal(200, (await platform.SendAsync("/plain/policy", platform.World.Token())).Status);
    }

    [Fact]
    public async Task An_Anonymous_route_needs_none()
    {
        Assert.Equal(200, (await platform.SendAsync("/open/policy")).Status);
        Assert.Equal(200, (await platform.SendAsync("/open/policy", "nonsense")).Status);
    }

    private static Dictionary<string, object?> Claim(string name, object value) => new() { [name] = value };

    private string With(string claim, object value) => platform.World.Issuer.Issue(new() { Claims = Claim(claim, value) });

    private string Other(string claim, object value) => platform.Issuer.Issue(new() { Claims = Claim(claim, value) });

    public sealed class Policies : PlatformFixture
    {
        public OpenIdProvider Issuer { get; private set; } = null!;

        protected override async ValueTask PrepareAsync() => Issuer = await OpenIdProvider.StartAsync();

        protected override void Change(JsonObject settings) => settings
            .Set("Authentication:Schemes:Other", $$"""
                {
                  "Authority": "{{Issuer.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"],
                  "RoleClaim": "groups", "ScopeClaim": "permissions"
                }
                """)
            .Set("Authorization:Policies:Scoped", """{ "Scopes": ["a", "b"] }""")
            .Set("Authorization:Policies:InRole", """{ "Roles": ["a", "b"] }""")
            .Route("scoped", "/scoped/{**rest}", """{ "AuthorizationPolicy": "Scoped" }""")
            .Route("roles", "/roles/{**rest}", """{ "AuthorizationPolicy": "InRole" }""");
    }
}
