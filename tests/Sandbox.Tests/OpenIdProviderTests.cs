using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Sandbox.Tests;

public sealed class OpenIdProviderTests : IAsyncLifetime
{
    private readonly HttpClient _client = new();
    private OpenIdProvider _provider = null!;

    public async ValueTask InitializeAsync() => _provider = await OpenIdProvider.StartAsync();

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task An_opaque_token_is_introspected_by_the_gateways_client_alone()
    {
        var token = await _client.GetStringAsync($"{_provider.Issuer}/token?opaque=true&organization=o-acme&subject=bob");
        var opaque = (string)JsonNode.Parse(token)!["access_token"]!;
        Assert.DoesNotContain('.', opaque);

        var known = await IntrospectAsync(opaque, _provider.IntrospectionSecret);
        Assert.Equal((true, "bob", "o-acme"), ((bool)known!["active"]!, (string)known["sub"]!, (string)known["organizations"]![0]!));
        Assert.False((bool)(await IntrospectAsync("another", _provider.IntrospectionSecret))!["active"]!);
        Assert.Null(await IntrospectAsync(opaque, "wrong"));
        Assert.Equal(3, _provider.Introspections);

        async Task<JsonNode?> IntrospectAsync(string asked, string secret)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{_provider.Issuer}/introspect");
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"gateway:{secret}")));
            request.Content = new FormUrlEncodedContent([new("token", asked)]);
            using var answer = await _client.SendAsync(request);
            return answer.StatusCode == HttpStatusCode.Unauthorized ? null : JsonNode.Parse(await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Discovery_names_the_issuer_and_the_key_set_and_both_are_counted()
    {
        var discovery = await GetJsonAsync($"{_provider.Issuer}/.well-known/openid-configuration");
        var keySet = await GetJsonAsync((string)discovery["jwks_uri"]!);

        Assert.Equal(_provider.Issuer, (string?)discovery["issuer"]);
        Assert.Equal(_provider.CurrentKey.KeyId, (string?)keySet["keys"]!.AsArray().Single()!["kid"]);
        Assert.Null(keySet["keys"]![0]!["d"]);
        Assert.Equal((1, 1), (_provider.DiscoveryRequests, _provider.KeySetRequests));
    }

    [Theory]
    [InlineData("RS256")]
    [InlineData("RS512")]
    [InlineData("PS256")]
    [InlineData("ES256")]
    public async Task A_good_token_validates_against_the_published_keys(string algorithm)
    {
        _provider.PublishEllipticCurveKey();

        var result = await ValidateAsync(_provider.Issue(new TokenRequest { Algorithm = algorithm }));

        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("alice", result.Claims["sub"]);
    }

    [Fact]
    public void ES256_without_a_published_key_throws() =>
        Assert.Throws<InvalidOperationException>(() => _provider.Issue(new TokenRequest { Algorithm = "ES256" }));

    [Fact]
    public async Task Forgeries_do_not_validate()
    {
        TokenRequest[] forgeries =
        [
            new() { Algorithm = "none" },
            new() { Algorithm = "HS256" },
            new() { Algorithm = "HS256", Secret = _provider.CurrentKey.PublicKeyDer },
            new() { Key = SigningKey.CreateRsa(), KeyId = _provider.CurrentKey.KeyId },
            new() { Key = SigningKey.CreateRsa() },
            new() { Issuer = "http://other.example" },
            new() { Audiences = ["api://other"] },
            new() { Audiences = [] },
            new() { Expires = null },
            new() { Expires = TimeSpan.FromHours(-1), NotBefore = TimeSpan.FromHours(-2) },
            new() { NotBefore = TimeSpan.FromMinutes(30) },
            new() { RawPayload = "{" },
        ];
        foreach (var forgery in forgeries) Assert.False((await ValidateAsync(_provider.Issue(forgery))).IsValid, forgery.ToString());
    }

    [Fact]
    public void HS256_over_the_public_key_is_a_correct_signature_with_that_secret()
    {
        var parts = _provider.Issue(new TokenRequest { Algorithm = "HS256" }).Split('.');

        var expected = System.Security.Cryptography.HMACSHA256.HashData(
            _provider.CurrentKey.PublicKeyPem, System.Text.Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));

        Assert.Equal(Base64UrlEncoder.Encode(expected), parts[2]);
    }

    [Fact]
    public async Task Rotation_keeps_the_old_key_published_until_it_is_withdrawn()
    {
        _provider.PublishEllipticCurveKey();
        var before = _provider.Issue();
        var beforeCurve = _provider.Issue(new TokenRequest { Algorithm = "ES256" });
        var oldKey = _provider.CurrentKey;

        var newKey = _provider.RotateKeys();
        var after = _provider.Issue();

        Assert.NotEqual(oldKey.KeyId, newKey.KeyId);
        Assert.Equal(newKey.KeyId, new JsonWebToken(after).Kid);
        Assert.True((await ValidateAsync(before)).IsValid);
        Assert.True((await ValidateAsync(beforeCurve)).IsValid);

        _provider.WithdrawOldKeys();

        Assert.False((await ValidateAsync(before)).IsValid);
        Assert.False((await ValidateAsync(beforeCurve)).IsValid);
        Assert.True((await ValidateAsync(after)).IsValid);
        Assert.Equal(2, _provider.PublishedKeys.Count);
    }

    [Fact]
    public void Every_part_of_a_token_can_be_said()
    {
        var token = new JsonWebToken(_provider.Issue(new TokenRequest
        {
            Subject = null,
            Audiences = ["a", "b"],
            Organizations = JsonNode.Parse("""{"o1":["admin"]}"""),
            Roles = ["operator"],
            Scopes = ["iot.connect", "other"],
            Claims = new Dictionary<string, object?> { ["tid"] = "t", ["nothing"] = null },
            WithoutClaims = ["jti"],
            Type = "JWT",
            KeyId = "k",
            Header = new Dictionary<string, object?> { ["crit"] = new JsonArray("b64") },
        }));
        var payload = JsonNode.Parse(Base64UrlEncoder.Decode(token.EncodedPayload))!.AsObject();
        var header = JsonNode.Parse(Base64UrlEncoder.Decode(token.EncodedHeader))!.AsObject();

        Assert.False(payload.ContainsKey("sub"));
        Assert.False(payload.ContainsKey("jti"));
        Assert.True(payload.ContainsKey("nothing"));
        Assert.Equal("""["a","b"]""", payload["aud"]!.ToJsonString());
        Assert.Equal("""{"o1":["admin"]}""", payload["organizations"]!.ToJsonString());
        Assert.Equal("""["operator"]""", payload["roles"]!.ToJsonString());
        Assert.Equal("iot.connect other", (string?)payload["scope"]);
        Assert.Equal("""{"alg":"RS256","typ":"JWT","kid":"k","crit":["b64"]}""", header.ToJsonString());
        Assert.False(new JsonWebToken(_provider.Issue(new TokenRequest { WithoutKeyId = true })).TryGetHeaderValue<string>("kid", out _));
    }

    [Fact]
    public async Task Times_count_from_the_clock_that_was_given()
    {
        var time = new FakeTimeProvider(DateTimeOffset.FromUnixTimeSeconds(2_000_000_000));
        await using var provider = await OpenIdProvider.StartAsync(time: time);

        var token = new JsonWebToken(provider.Issue());

        Assert.Equal(2_000_003_600, token.GetPayloadValue<long>("exp"));
        Assert.Equal(2_000_000_000, token.GetPayloadValue<long>("iat"));
    }

    [Fact]
    public async Task A_stopped_issuer_refuses_connections_and_comes_back_on_its_port()
    {
        var issuer = _provider.Issuer;
        await _provider.StopAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => GetJsonAsync($"{issuer}/.well-known/openid-configuration"));
        Assert.NotEmpty(_provider.Issue());

        await _provider.RestartAsync();

        Assert.Equal(issuer, _provider.Issuer);
        Assert.True((await ValidateAsync(_provider.Issue())).IsValid);
    }

    [Fact]
    public async Task The_token_endpoint_mints_a_good_token_by_query_or_form()
    {
        var byQuery = await GetJsonAsync($"{_provider.Issuer}/token?organization=o-a&organization=o-b&subject=bob&lifetime=60&role=r&scope=s");
        using var form = new FormUrlEncodedContent([new("organization", "o-a"), new("audience", "api://gateway")]);
        using var answer = await _client.PostAsync(new Uri($"{_provider.Issuer}/token"), form, TestContext.Current.CancellationToken);
        var byForm = await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken);

        Assert.Equal(60, (int)byQuery["expires_in"]!);
        var queryToken = (string)byQuery["access_token"]!;
        Assert.True((await ValidateAsync(queryToken)).IsValid);
        var token = new JsonWebToken(queryToken);
        Assert.Equal("bob", token.Subject);
        Assert.Equal(["o-a", "o-b"], token.GetPayloadValue<string[]>("organizations"));
        Assert.Equal("s", token.GetPayloadValue<string>("scope"));
        Assert.True((await ValidateAsync((string)byForm!["access_token"]!)).IsValid);
    }

    [Fact]
    public async Task The_token_endpoint_answers_the_bare_token_as_plain_text_and_refuses_a_lifetime_that_is_no_number()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{_provider.Issuer}/token?organization=o-a");
        request.Headers.Accept.ParseAdd("text/plain");
        using var plain = await _client.SendAsync(request, TestContext.Current.CancellationToken);
        using var bad = await _client.GetAsync(new Uri($"{_provider.Issuer}/token?lifetime=soon"), TestContext.Current.CancellationToken);

        Assert.True((await ValidateAsync(await plain.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))).IsValid);
        Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
    }

    [Theory]
    [InlineData("G3 British", "organisation=o-a", "Did you mean \"organization\"?")]
    [InlineData("G3 plural", "roles=r", "Did you mean \"role\"?")]
    [InlineData("G3 another case", "Organization=o-a", "Did you mean \"organization\"?")]
    [InlineData("G3 a claim's name", "sub=bob", "Known here: ")]
    [InlineData("G3 one good, one not", "organization=o-a&expires=60", "expires is no parameter")]
    [InlineData("G3 twice", "subject=a&subject=b", "subject is written more than once.")]
    [InlineData("G3 nothing but a value", "=o-a", "is no parameter")]
    public async Task A_parameter_that_the_token_endpoint_does_not_know_is_refused_with_the_nearest_name(string name, string parameters, string remedy)
    {
        using var byQuery = await _client.GetAsync(new Uri($"{_provider.Issuer}/token?{parameters}"), TestContext.Current.CancellationToken);
        using var form = new StringContent(parameters, System.Text.Encoding.ASCII, "application/x-www-form-urlencoded");
        using var byForm = await _client.PostAsync(new Uri($"{_provider.Issuer}/token"), form, TestContext.Current.CancellationToken);

        foreach (var answer in (HttpResponseMessage[])[byQuery, byForm])
        {
            var body = (await answer.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!;
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest, $"{name}: {body}");
            Assert.Equal("invalid_request", (string?)body["error"]);
            Assert.Contains(remedy, (string?)body["error_description"], StringComparison.Ordinal);
        }
    }

    private async Task<JsonNode> GetJsonAsync(string url) => (await _client.GetFromJsonAsync<JsonNode>(url, TestContext.Current.CancellationToken))!;

    private async Task<TokenValidationResult> ValidateAsync(string token)
    {
        var keySet = await GetJsonAsync($"{_provider.Issuer}/.well-known/jwks.json");
        return await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = _provider.Issuer,
            ValidAudience = "api://gateway",
            IssuerSigningKeys = new JsonWebKeySet(keySet.ToJsonString()).GetSigningKeys(),
        });
    }
}
