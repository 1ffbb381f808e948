using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authorization;

/// <summary>Which organizations a token speaks for, by its scheme's settings and nobody else's.</summary>
public sealed class MembershipTests(MembershipTests.Issuers platform) : IClassFixture<MembershipTests.Issuers>
{
    private static readonly string[] s_formats = ["Array", "Single", "Spaces", "Commas", "Json"];

    // What each way of writing gives the two organizations o-a and o-b, in this order.
    private static readonly (string Name, object? Value, Dictionary<string, string> MemberOf)[] s_claims =
    [
        ("an array", (string[])["o-a", "o-b"], new() { ["Array"] = "ab" }),
        ("an array of one", (string[])["o-a"], new() { ["Array"] = "a" }),
        ("an array with a number", (object[])["o-a", 1], []),
        ("an array in an array", (object[])[(string[])["o-a"]], []),
        ("an empty array", Array.Empty<string>(), []),
        ("an object", new Dictionary<string, string> { ["o-a"] = "o-b" }, []),
        ("one", "o-a", new() { ["Single"] = "a", ["Spaces"] = "a", ["Commas"] = "a" }),
        ("spaces", "o-a o-b", new() { ["Spaces"] = "ab" }),
        ("commas", "o-a,o-b", new() { ["Commas"] = "ab" }),
        ("commas and spaces", "o-a, o-b", new() { ["Commas"] = "ab", ["Spaces"] = "b" }),
        ("JSON", """["o-a","o-b"]""", new() { ["Json"] = "ab" }),
        ("JSON of a string", "\"o-a\"", []),
        ("JSON that is none", """["o-a" """, []),
        ("JSON in an array", (string[])["""["o-a","o-b"]"""], []),
        ("other letters", "O-a", []),
        ("a star", "*", []),
        ("stars", (string[])["*", "o-*"], []),
        ("a line end", "o-a\n", []),
        ("a space after", (string[])["o-a "], []),
        ("true", true, []),
        ("a number", 1, []),
        ("null", null, []),
    ];

    public static TheoryData<string, string> Claims
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var claim in s_claims)
                foreach (var format in s_formats) data.Add(claim.Name, format);
            return data;
        }
    }

    public static TheoryData<string> Formats => [.. s_formats];

    [Theory]
    [MemberData(nameof(Claims))]
    public async Task A_claim_is_read_as_its_format_says_and_never_guessed(string name, string format)
    {
        var (_, value, memberOf) = s_claims.Single(claim => claim.Name == name);
        var expected = memberOf.GetValueOrDefault(format, "");
        var token = platform.By[format].Issue(new() { Claims = new Dictionary<string, object?> { ["orgs"] = value } });

        var a = await platform.SendAsync("/organizations/o-a/claims", token);
        var b = await platform.SendAsync("/organizations/o-b/claims", token);

        Assert.Equal((expected.Contains('a') ? 200 : 403, expected.Contains('b') ? 200 : 403), (a.Status, b.Status));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public async Task A_token_without_the_claim_is_of_no_organization(string format)
    {
        var token = platform.By[format].Issue(new() { Organizations = (string[])["o-a"] });

        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync("/organizations/o-a/membership", token));
    }

    [Fact]
    public async Task An_issuer_speaks_only_for_the_organizations_that_it_may_speak_for()
    {
        var token = platform.Limited.Issue(new() { Organizations = (string[])["o-a", "o-b"] });

        Assert.Equal(200, (await platform.SendAsync("/organizations/o-a/membership", token)).Status);
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync("/organizations/o-b/membership", token));
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync(Requests.CredentialsPath("o-b"), token));
    }

    [Fact]
    public async Task A_scheme_without_organizations_gives_none()
    {
        var token = platform.Silent.Issue(new() { Organizations = (string[])["o-a"] });

        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync("/organizations/o-a/membership", token));
        Assert.Equal(200, (await platform.SendAsync("/plain/membership", token)).Status);
    }

    [Theory]
    [InlineData("/organizations/o-b/iot-endpoint-and-credentials")]
    [InlineData("/organizations/o-b/devices")]
    [InlineData("/organizations/o-b/")]
    [InlineData("/organizations/o-b")]
    [InlineData("/organizations/o-b/operators/1")]
    [InlineData("/Organizations/o-b/devices")]
    [InlineData("/organizations/o-A/devices")]
    [InlineData("/organizations/o-a1/devices")]
    [InlineData("/organizations/o-b/devices?organizationId=o-a")]
    [InlineData("/organizations/o-b/iot-endpoint-and-credentials?organizationId=o-a")]
    public async Task Another_organizations_route_is_403_with_a_valid_token(string path)
    {
        var token = platform.World.Issuer.Issue(new() { Organizations = (string[])["o-a"], Scopes = ["iot.connect"], Roles = ["operator"] });

        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync(path, token));
        Assert.DoesNotContain(platform.Received(path), request => request.Target == path);
    }

    [Fact]
    public async Task An_organization_in_a_header_or_a_body_counts_for_nothing()
    {
        var answer = await platform.SendAsync("/organizations/o-b/devices", platform.World.Token("o-a"), "POST", request =>
        {
            request.Headers.Add("X-Gateway-Organization", "o-b");
            request.Headers.Add("organizationId", "o-a");
            request.Content = new FormUrlEncodedContent([new("organizationId", "o-a")]);
        });

        ErrorResponseAssert.Matches(403, "Forbidden", answer);
    }

    [Fact]
    public async Task A_route_for_any_organization_is_open_to_every_caller()
    {
        Assert.Equal(200, (await platform.SendAsync("/any/o-b/membership", platform.World.Token("o-a"))).Status);
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync("/any/o-b/membership"), tokenSent: false);
    }

    public sealed class Issuers : PlatformFixture
    {
        public Dictionary<string, OpenIdProvider> By { get; } = [];

        public OpenIdProvider Limited { get; private set; } = null!;

        public OpenIdProvider Silent { get; private set; } = null!;

        protected override async ValueTask PrepareAsync()
        {
            foreach (var format in s_formats) By[format] = await OpenIdProvider.StartAsync();
            Limited = await OpenIdProvider.StartAsync();
            Silent = await OpenIdProvider.StartAsync();
        }

        protected override void Change(JsonObject settings)
        {
            foreach (var (format, issuer) in By) Add(format, issuer, $$"""{ "Claim": "orgs", "Format": "{{format}}" }""");
            Add("Limited", Limited, """{ "Claim": "organizations", "Format": "Array", "Only": ["o-a"] }""");
            Add("Silent", Silent, "null");

            void Add(string name, OpenIdProvider issuer, string organizations) => settings.Set($"Authentication:Schemes:{name}", $$"""
                { "Authority": "{{issuer.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"], "Organizations": {{organizations}} }
                """);
        }
    }
}
