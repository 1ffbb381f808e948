using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

public sealed class TokenTests(TokenTests.Issuers platform) : IClassFixture<TokenTests.Issuers>
{
    private const string Path = "/plain/tokens";

    private static readonly SigningKey s_stranger = SigningKey.CreateRsa();
    private static readonly SigningKey s_strangersCurve = SigningKey.CreateEllipticCurve();

    private static readonly Dictionary<string, Func<Issuers, TokenRequest>> s_bad = new()
    {
        ["expired beyond the skew"] = _ => new() { NotBefore = TimeSpan.FromHours(-1), Expires = TimeSpan.FromSeconds(-35) },
        ["expired an hour ago"] = _ => new() { IssuedAt = TimeSpan.FromHours(-2), NotBefore = TimeSpan.FromHours(-2), Expires = TimeSpan.FromHours(-1) },
        ["not yet valid"] = _ => new() { NotBefore = TimeSpan.FromSeconds(40), Expires = TimeSpan.FromHours(1) },
        ["another audience"] = _ => new() { Audiences = ["api://other"] },
        ["an audience in other letters"] = _ => new() { Audiences = ["API://gateway"] },
        ["an audience that begins like ours"] = _ => new() { Audiences = ["api://gateway.evil.example"] },
        ["an audience with a slash more"] = _ => new() { Audiences = ["api://gateway/"] },
        ["no audience"] = _ => new() { Audiences = [] },
        ["an unknown issuer"] = _ => new() { Issuer = "https://evil.example" },
        ["an issuer with a slash more"] = issuers => new() { Issuer = issuers.World.Issuer.Issuer + "/" },
        ["an issuer in other letters"] = issuers => new() { Issuer = issuers.World.Issuer.Issuer.ToUpperInvariant() },
        ["no issuer"] = _ => new() { WithoutClaims = ["iss"] },
        ["an empty issuer"] = _ => new() { Issuer = "" },
        ["issuers as an array"] = issuers => new() { Claims = With("iss", new[] { issuers.World.Issuer.Issuer }) },
        ["no expiry"] = _ => new() { Expires = null },
        ["an expiry of null"] = _ => new() { Claims = With("exp", null) },
        ["an expiry that is text"] = _ => new() { Claims = With("exp", "tomorrow") },
        ["no subject"] = _ => new() { Subject = null },
        ["an empty subject"] = _ => new() { Subject = "" },
        ["a stranger under a known key id"] = issuers => new() { Key = s_stranger, KeyId = issuers.World.Issuer.CurrentKey.KeyId },
        ["a stranger under its own key id"] = _ => new() { Key = s_stranger },
        ["a stranger without a key id"] = _ => new() { Key = s_stranger, WithoutKeyId = true },
        ["a stranger's curve under a known key id"] = issuers => new()
        {
            Key = s_strangersCurve,
            Algorithm = "ES256",
            KeyId = issuers.World.Issuer.PublishedKeys[^1].KeyId,
        },
        ["a stranger that brings its key"] = _ => new() { Key = s_stranger, Header = With("jwk", s_stranger.ToJsonWebKey()) },
        ["a stranger that says where its key is"] = issuers => new()
        {
            Key = s_stranger,
            Header = With("jku", $"{issuers.Other.Issuer}/.well-known/jwks.json"),
        },
        ["alg none"] = _ => new() { Algorithm = "none" },
        ["alg None"] = _ => new() { Algorithm = "None" },
        ["alg nOnE"] = _ => new() { Algorithm = "nOnE" },
        ["HS256 by the public key as PEM"] = issuers => new() { Algorithm = "HS256", Secret = issuers.World.Issuer.CurrentKey.PublicKeyPem },
        ["HS256 by the public key as DER"] = issuers => new() { Algorithm = "HS256", Secret = issuers.World.Issuer.CurrentKey.PublicKeyDer },
        ["HS256 by a secret that is empty"] = _ => new() { Algorithm = "HS256", Secret = [], WithoutKeyId = true },
        ["a crit header"] = _ => new() { Header = With("crit", new[] { "exp" }) },
        ["a crit header that names what is unknown"] = _ => new() { Header = With("crit", new[] { "https://example.com/ext" }) },
        ["an ID token by its nonce"] = _ => new() { Type = "JWT", Claims = With("nonce", "n-1") },
        ["an ID token by its at_hash"] = _ => new() { Type = "JWT", Claims = With("at_hash", "MTIzNDU2Nzg5MDEyMzQ1Ng") },
        ["an ID token as Cognito writes it"] = _ => new() { Type = "JWT", Claims = With("token_use", "id") },
        ["an ID token as Keycloak writes it"] = _ => new() { Type = "JWT", Claims = With("typ", "ID") },
        ["an ID token in an access token's header"] = _ => new() { Claims = With("token_use", "id") },
        ["two issuers in one token"] = issuers => new()
        {
            RawPayload =
                $$"""{"iss":"{{issuers.Other.Issuer}}","iss":"{{issuers.World.Issuer.Issuer}}","sub":"alice","aud":"api://gateway","exp":4102444800}""",
        },
        ["an issuer that is no text"] = _ => new() { RawPayload = """{"iss":"\ud800","sub":"alice","aud":"api://gateway","exp":4102444800}""" },
        ["a subject that is no text"] = issuers => new()
        {
            RawPayload = $$"""{"iss":"{{issuers.World.Issuer.Issuer}}","sub":"\ud800","aud":"api://gateway","exp":4102444800}""",
        },
        ["two of a claim in one token"] = issuers => new()
        {
            RawPayload = $$"""{"iss":"{{issuers.World.Issuer.Issuer}}","sub":"alice","sub":"mallory","aud":"api://gateway","exp":4102444800}""",
        },
        ["an organization that is no text"] = issuers => new()
        {
            RawPayload = $$"""{"iss":"{{issuers.World.Issuer.Issuer}}","sub":"alice","aud":"api://gateway","exp":4102444800,"organizations":["\ud800"]}""",
        },
        ["a payload that is no JSON"] = _ => new() { RawPayload = "{\"iss\":" },
        ["a payload that is no object"] = _ => new() { RawPayload = "[]" },
        ["a header that is no JSON"] = _ => new() { RawHeader = "{" },
        ["another issuer's key"] = issuers => new() { Key = issuers.Other.CurrentKey },
        ["another issuer's key under a key id of this one"] = issuers =>
            new() { Key = issuers.Other.CurrentKey, KeyId = issuers.World.Issuer.CurrentKey.KeyId },
        ["this issuer's key for another"] = issuers => new() { Issuer = issuers.Other.Issuer, Audiences = ["api://other"] },
        ["this issuer's key for another under its key id"] = issuers => new()
        {
            Issuer = issuers.Other.Issuer,
            KeyId = issuers.Other.CurrentKey.KeyId,
            Audiences = ["api://other"],
        },
        ["another issuer's audience"] = _ => new() { Audiences = ["api://other"] },
    };

    private static readonly Dictionary<string, Func<Issuers, TokenRequest>> s_good = new()
    {
        ["as it is"] = _ => new(),
        ["expired within the skew"] = _ => new() { NotBefore = TimeSpan.FromHours(-1), Expires = TimeSpan.FromSeconds(-15) },
        ["valid within the skew"] = _ => new() { NotBefore = TimeSpan.FromSeconds(15) },
        ["our audience among others"] = _ => new() { Audiences = ["api://other", "api://gateway"] },
        ["no key id"] = _ => new() { WithoutKeyId = true },
        ["RS512"] = _ => new() { Algorithm = "RS512" },
        ["PS256"] = _ => new() { Algorithm = "PS256" },
        ["ES256"] = _ => new() { Algorithm = "ES256" },
        ["no type"] = _ => new() { Type = null },
        ["an access token as Cognito writes it"] = _ => new() { Type = "JWT", Claims = With("token_use", "access") },
        ["an access token as Keycloak writes it"] = _ => new() { Type = "JWT", Claims = With("typ", "Bearer") },
    };

    private static readonly Dictionary<string, string> s_malformed = new()
    {
        ["garbage"] = "garbage",
        ["two parts"] = "a.b",
        ["three dots"] = "...",
        ["two dots"] = "..",
        ["five parts"] = "a.b.c.d.e",
        ["no base64"] = "!!!.???.***",
        ["huge"] = new('a', 12_000),
        ["huge parts"] = $"{new string('a', 4000)}.{new string('a', 4000)}.{new string('a', 4000)}",
        ["a long line of dots"] = new('.', 8000),
        ["deep JSON"] = $"e30.{Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(new string('[', 3000)))}.x",
    };

    public static TheoryData<string> Bad => [.. s_bad.Keys];

    public static TheoryData<string> Good => [.. s_good.Keys];

    public static TheoryData<string> Malformed => [.. s_malformed.Keys];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_token_is_refused(string name)
    {
        var token = platform.World.Issuer.Issue(s_bad[name](platform));

        ErrorResponseAssert.IsUnauthenticated(await platform.Gateway.SendUntilJudgedAsync(Path, token, "Platform", "Other"), tokenSent: true);
        Assert.DoesNotContain(token, platform.Gateway.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Good))]
    public async Task A_good_token_is_taken(string name)
    {
        var answer = await platform.SendAsync(Path, platform.World.Issuer.Issue(s_good[name](platform)));

        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}\n{platform.Gateway.Log.Text}");
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task What_is_no_token_is_refused(string name) =>
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(Path, s_malformed[name]), tokenSent: true);

    [Fact]
    public async Task A_token_is_read_from_its_header_alone()
    {
        var token = platform.World.Token();

        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync($"{Path}?access_token={token}&token={token}"), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(
            await platform.SendAsync(Path, change: request => request.Headers.Add("Cookie", $"access_token={token}")), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(
            await platform.SendAsync(Path, change: request => request.Headers.Add("X-Authorization", $"Bearer {token}")), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(
            await platform.SendAsync(
                Path, method: "POST", change: request => request.Content = new FormUrlEncodedContent([new("access_token", token)])),
            tokenSent: false);
    }

    [Fact]
    public async Task Another_scheme_or_an_empty_header_is_no_token()
    {
        ErrorResponseAssert.IsUnauthenticated(await WithAuthorization("Basic YWxpY2U6c2VjcmV0"), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(await WithAuthorization(platform.World.Token()), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(await WithAuthorization("Bearer"), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(await WithAuthorization("Bearer "), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(await WithAuthorization(""), tokenSent: false);
    }

    [Fact]
    public async Task The_scheme_is_known_in_any_case() =>
        Assert.Equal(200, (await WithAuthorization($"bearer {platform.World.Token()}")).Status);

    [Fact]
    public async Task Two_headers_are_refused_even_when_both_are_good()
    {
        var token = platform.World.Token();

        var two = await RawHttp.SendAsync(platform.Gateway.Url, Path, "GET", $"Authorization: Bearer {token}", $"Authorization: Bearer {token}");
        var other = await RawHttp.SendAsync(platform.Gateway.Url, Path, "GET", "Authorization: Basic eA==", $"Authorization: Bearer {token}");
        var joined = await RawHttp.SendAsync(platform.Gateway.Url, Path, "GET", $"Authorization: Bearer {token}, Bearer {token}");

        foreach (var answer in (RawAnswer[])[two, other, joined])
        {
            Assert.Equal(401, answer.Status);
            Assert.Equal(["Bearer error=\"invalid_token\""], answer.Headers["WWW-Authenticate"]);
        }
    }

    [Fact]
    public async Task A_changed_token_is_refused()
    {
        var parts = platform.World.Token("o-acme").Split('.');
        var others = platform.World.Token("o-other").Split('.');

        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(Path, $"{parts[0]}.{others[1]}.{parts[2]}"), tokenSent: true);
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(Path, $"{parts[0]}.{parts[1]}."), tokenSent: true);
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(Path, $"{parts[0]}.{parts[1]}"), tokenSent: true);
    }

    [Theory]
    [InlineData("nonce", "n-1")]
    [InlineData("token_use", "id")]
    [InlineData("typ", "ID")]
    public async Task A_scheme_that_accepts_ID_tokens_takes_them(string claim, string value)
    {
        var token = platform.Other.Issue(new() { Audiences = ["api://other"], Type = "JWT", Claims = With(claim, value) });

        Assert.Equal(200, (await platform.SendAsync(Path, token)).Status);
    }

    [Fact]
    public async Task Each_issuers_own_tokens_are_taken()
    {
        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token())).Status);
        Assert.Equal(200, (await platform.SendAsync(Path, platform.Other.Issue(new() { Audiences = ["api://other"] }))).Status);
    }

    private static Dictionary<string, object?> With(string name, object? value) => new() { [name] = value };

    private Task<Response> WithAuthorization(string value) =>
        platform.SendAsync(Path, change: request => request.Headers.TryAddWithoutValidation("Authorization", value));

    public sealed class Issuers : PlatformFixture
    {
        public OpenIdProvider Other { get; private set; } = null!;

        protected override async ValueTask PrepareAsync()
        {
            World.Issuer.PublishEllipticCurveKey();
            Other = await OpenIdProvider.StartAsync();
        }

        protected override void Change(JsonObject settings) => settings
            .Set("Edge:FailedAuthentications:PermitLimit", "100000")
            .Set("Authentication:Schemes:Other", $$"""
                { "Authority": "{{Other.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://other"], "AcceptIdTokens": true }
                """);
    }
}
