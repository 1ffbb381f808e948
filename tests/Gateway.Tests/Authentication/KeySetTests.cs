using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Authentication.Keys;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A key set is read key by key: an odd key costs itself alone.</summary>
public sealed class KeySetTests(KeySetTests.OddIssuer platform) : IClassFixture<KeySetTests.OddIssuer>
{
    private const string Path = "/plain/keys";
    // To make a key of RSA takes a tenth of a second of the processor.
    private static readonly RSA s_weak = RSA.Create(1024);
    private static readonly RSA s_authority = RSA.Create(2048);
    private static readonly SigningKey s_first = SigningKey.CreateRsa("1");
    private static readonly SigningKey s_second = SigningKey.CreateRsa("2");
    private static readonly SigningKey s_stranger = SigningKey.CreateRsa("odd");

    // What stands before the issuer's good keys.
    private static readonly Dictionary<string, Func<string>> s_odd = new()
    {
        ["B3 text in place of a key"] = () => "\"key\"",
        ["B3 null"] = () => "null",
        ["B3 an array"] = () => "[]",
        ["B3 an empty object"] = () => "{}",
        ["B3 no type"] = () => """{ "kid": "odd" }""",
        ["B3 an unknown type"] = () => """{ "kty": "AKP", "kid": "odd", "alg": "ML-DSA-44", "pub": "AQAB" }""",
        ["B3 Ed25519"] = () => """{ "kty": "OKP", "crv": "Ed25519", "kid": "odd", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }""",
        ["B3 an unknown curve"] = () => """{ "kty": "EC", "crv": "secp256k1", "kid": "odd", "x": "AQ", "y": "AQ" }""",
        ["B3 a point off the curve"] = () => """{ "kty": "EC", "crv": "P-256", "kid": "odd", "x": "AQ", "y": "AQ" }""",
        ["B3 a symmetric key"] = () => """{ "kty": "oct", "kid": "odd", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0" }""",
        ["B3 a key for encryption"] = () => Jwk(s_stranger, ("use", "enc")),
        ["B3 an algorithm of encryption"] = () => Jwk(s_stranger, ("alg", "RSA-OAEP-256")),
        ["B3 other operations"] = () => Jwk(s_stranger, ("key_ops", new JsonArray("encrypt", "wrapKey"))),
        ["B3 a modulus that is not base64url"] = () => """{ "kty": "RSA", "kid": "odd", "n": "!!!", "e": "AQAB" }""",
        ["B3 a modulus that is a number"] = () => """{ "kty": "RSA", "kid": "odd", "n": 17, "e": "AQAB" }""",
        ["B3 no exponent"] = () => Jwk(s_stranger, ("e", null)),
        ["B3 an exponent of one"] = () => Jwk(s_stranger, ("e", "AQ")),
        ["B3 a key id that is a number"] = () => Jwk(s_stranger, ("kid", 7)),
        ["B3 a key id that is no text"] = () => """{ "kty": "RSA", "kid": "\ud800", "n": "AQAB", "e": "AQAB" }""",
        ["B3 a weak key"] = Weak,
        ["B3 a member twice"] = () => """{ "kty": "RSA", "kty": "EC", "kid": "odd" }""",
        ["B3 certificates that are none"] = () => """{ "kty": "RSA", "kid": "odd", "x5c": ["!!!"], "x5t": 5 }""",
        ["B3 a certificate and no numbers"] = () => $$"""{ "kty": "RSA", "kid": "odd", "x5c": ["{{Expired(s_stranger)}}"] }""",
    };

    public static TheoryData<string> Odd => [.. s_odd.Keys];

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task An_odd_key_costs_itself_alone(string name)
    {
        await PublishAsync(keys => keys.Insert(0, JsonNode.Parse("0")), s_odd[name]());

        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token())).Status);
        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Issuer.Issue(new() { Algorithm = "ES256" }))).Status);
        Assert.Equal(platform.World.Issuer.PublishedKeys.Count, platform.Gateway.KeysOf("Platform").Current!.SigningKeys.Count);
    }

    [Fact]
    public async Task B3_a_key_whose_certificate_has_expired_is_used()
    {
        await PublishAsync(keys =>
        {
            foreach (var (key, jwk) in platform.World.Issuer.PublishedKeys.Zip(keys))
                if (jwk!["kty"]!.GetValue<string>() == "RSA") jwk["x5c"] = new JsonArray(Expired(key));
        });

        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token())).Status);
    }

    [Fact]
    public async Task B3_keys_of_two_types_under_one_id_are_both_used()
    {
        await PublishAsync(keys =>
        {
            foreach (var key in keys) key!["kid"] = "shared";
        });

        foreach (var algorithm in (string[])["RS256", "PS256", "ES256"])
            Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Issuer.Issue(new() { Algorithm = algorithm, KeyId = "shared" }))).Status);
    }

    [Fact]
    public async Task B3_a_second_key_of_the_same_type_and_id_is_used()
    {
        await PublishAsync(keys =>
        {
            var second = SigningKey.CreateRsa(platform.World.Issuer.CurrentKey.KeyId).ToJsonWebKey();
            keys.Insert(0, second);
        });

        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token())).Status);
    }

    [Theory]
    [InlineData("RS256", "RS256", 200)]
    [InlineData("RS256", "RS512", 401)]
    [InlineData("RS256", "PS256", 401)]
    [InlineData("RS512", "RS256", 401)]
    [InlineData("PS256", "PS256", 200)]
    [InlineData("PS256", "RS256", 401)]
    [InlineData("ES256", "ES256", 200)]
    [InlineData("ES384", "ES256", 401)]
    [InlineData("ES256", "RS256", 401)]
    [InlineData(null, "PS512", 200)]
    public async Task A_key_is_used_for_its_own_algorithm_alone(string? ofKey, string ofToken, int status)
    {
        await PublishAsync(keys =>
        {
            foreach (var key in keys) key!["alg"] = ofKey;
        });

        foreach (var withoutId in (bool[])[false, true])
        {
            var answer = await platform.Gateway.SendUntilJudgedAsync(
                Path, platform.World.Issuer.Issue(new() { Algorithm = ofToken, WithoutKeyId = withoutId }), "Platform");
            Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        }
    }

    [Theory]
    [InlineData("B3 and a token without one", true)]
    [InlineData("B3 and a token with one", false)]
    public async Task Keys_without_an_id_are_tried(string name, bool withoutId)
    {
        Assert.NotEmpty(name);
        await PublishAsync(keys =>
        {
            foreach (var key in keys) key!.AsObject().Remove("kid");
        });

        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Issuer.Issue(new() { WithoutKeyId = withoutId }))).Status);
        ErrorResponseAssert.IsUnauthenticated(
            await platform.Gateway.SendUntilJudgedAsync(
                Path, platform.World.Issuer.Issue(new() { WithoutKeyId = withoutId, Key = s_stranger }), "Platform"),
            tokenSent: true);
    }

    [Fact]
    public async Task B3_numbers_with_padding_and_leading_zeros_are_read()
    {
        await PublishAsync(keys =>
        {
            foreach (var key in keys)
            {
                foreach (var number in (string[])["n", "e", "x", "y"])
                {
                    if (key![number] is not { } text) continue;
                    key[number] = Convert.ToBase64String([0, .. System.Buffers.Text.Base64Url.DecodeFromChars(text.GetValue<string>())]);
                }
            }
        });

        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Token())).Status);
        Assert.Equal(200, (await platform.SendAsync(Path, platform.World.Issuer.Issue(new() { Algorithm = "ES256" }))).Status);
    }

    [Theory]
    [InlineData("no key")]
    [InlineData("only a key for encryption")]
    [InlineData("only keys of an unknown type")]
    public async Task An_issuer_that_publishes_no_usable_key_is_an_outage_and_its_old_keys_are_withdrawn(string published)
    {
        var token = platform.World.Token();
        await PublishAsync(_ => { });
        Assert.Equal(200, (await platform.SendAsync(Path, token)).Status);
        var logged = platform.Gateway.Log.Count(LogLevel.Error, "it publishes no key that can be used");

        await PublishOnlyAsync(keys =>
        {
            if (published == "no key") keys.Clear();
            foreach (var key in keys) key![published == "only a key for encryption" ? "use" : "kty"] = "enc";
        });

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", await platform.SendAsync(Path, token));
        ErrorResponseAssert.Matches(503, "ServiceUnavailable", await platform.SendAsync(Path, platform.World.Issuer.Issue(new() { WithoutKeyId = true })));
        Assert.NotNull(platform.Gateway.KeysOf("Platform").Outage);
        Assert.Equal(logged + 1, platform.Gateway.Log.Count(LogLevel.Error, "it publishes no key that can be used"));
        await PublishAsync(_ => { });
        Assert.Equal(200, (await platform.SendAsync(Path, token)).Status);
    }

    [Fact]
    public void B3_the_keys_that_are_not_used_are_named_and_their_number_is_bounded()
    {
        var keys = PublishedKeys.Parse(
            "i",
            "a",
            System.Text.Encoding.UTF8.GetBytes($$"""{ "keys": [{{string.Join(',', Enumerable.Repeat("""{ "kid": "a\u001bb", "kty": "oct" }""", 500))}}] }"""));

        Assert.Empty(keys.SigningKeys);
        Assert.Equal(10, keys.Passed.Count);
        Assert.All(keys.Passed, passed => Assert.Equal("""key "a\u001bb" (its kty is "oct")""", passed));
    }

    [Theory]
    [InlineData("another order", true)]
    [InlineData("other members beside the keys", true)]
    [InlineData("other members in the keys", true)]
    [InlineData("a key that is not used", true)]
    [InlineData("another address of the key set", true)]
    [InlineData("another key id", false)]
    [InlineData("no key id", false)]
    [InlineData("the ids of two keys exchanged", false)]
    [InlineData("another number", false)]
    [InlineData("the algorithm of one key", false)]
    [InlineData("a key more", false)]
    [InlineData("a key less", false)]
    [InlineData("an issuer of one key", false)]
    [InlineData("another issuer", false)]
    public void Keys_are_the_same_whatever_their_order_and_what_stands_beside_them(string change, bool isSame)
    {
        var keys = new JsonArray(s_first.ToJsonWebKey(), s_second.ToJsonWebKey(), SigningKey.CreateEllipticCurve("3").ToJsonWebKey());
        var set = new JsonObject();
        var before = Parse("i", "a");
        switch (change)
        {
            case "another order": keys = [.. keys.Reverse().Select(key => key!.DeepClone())]; break;
            case "other members beside the keys": set["generated"] = 1; break;
            case "other members in the keys": keys[0]!["x5t"] = "x"; break;
            case "a key that is not used": keys.Insert(0, new JsonObject { ["kty"] = "oct" }); break;
            case "another key id": keys[0]!["kid"] = "4"; break;
            case "no key id": keys[0]!.AsObject().Remove("kid"); break;
            case "the ids of two keys exchanged": (keys[0]!["kid"], keys[1]!["kid"]) = ("2", "1"); break;
            case "another number": keys[0]!["n"] = s_stranger.ToJsonWebKey()["n"]!.DeepClone(); break;
            case "the algorithm of one key": keys[0]!["alg"] = "RS256"; break;
            case "a key more": keys.Add(JsonNode.Parse(Jwk(s_stranger, ("kid", "1")))); break;
            case "a key less": keys.RemoveAt(2); break;
            case "an issuer of one key": keys[2]!["issuer"] = "i"; break;
        }

        var after = Parse(change == "another issuer" ? "j" : "i", change == "another address of the key set" ? "b" : "a");

        Assert.Equal(isSame, after.HasSameContent(before));

        PublishedKeys Parse(string issuer, string address)
        {
            set["keys"] = keys.DeepClone();
            return PublishedKeys.Parse(issuer, address, System.Text.Encoding.UTF8.GetBytes(set.ToJsonString()));
        }
    }

    private static string Jwk(SigningKey key, (string Name, JsonNode? Value) change)
    {
        var jwk = key.ToJsonWebKey();
        if (change.Value is null) jwk.Remove(change.Name);
        else jwk[change.Name] = change.Value;
        return jwk.ToJsonString();
    }

    private static string Weak()
    {
        var numbers = s_weak.ExportParameters(includePrivateParameters: false);
        return $$"""{ "kty": "RSA", "kid": "odd", "n": "{{System.Buffers.Text.Base64Url.EncodeToString(numbers.Modulus)}}", "e": "AQAB" }""";
    }

    private static string Expired(SigningKey key)
    {
        var name = new X500DistinguishedName("CN=issuer");
        var request = new CertificateRequest(name, PublicKey.CreateFromSubjectPublicKeyInfo(key.PublicKeyDer, out _), HashAlgorithmName.SHA256);
        using var certificate = request.Create(
            name,
            X509SignatureGenerator.CreateForRSA(s_authority, RSASignaturePadding.Pkcs1),
            DateTimeOffset.UtcNow.AddYears(-2),
            DateTimeOffset.UtcNow.AddYears(-1),
            [1]);
        return Convert.ToBase64String(certificate.RawData);
    }

    private async Task PublishAsync(Action<JsonArray> change, string? first = null)
    {
        await PublishOnlyAsync(change, first);
        Assert.Null(platform.Gateway.KeysOf("Platform").Outage);
    }

    private async Task PublishOnlyAsync(Action<JsonArray> change, string? first = null)
    {
        platform.World.Issuer.KeySetText = keys =>
        {
            change(keys);
            var text = new JsonObject { ["keys"] = keys }.ToJsonString();
            return first is null ? text : text.Replace("[0,", $"[{first},", StringComparison.Ordinal);
        };
        await platform.Gateway.KeysOf("Platform").FetchAsync();
    }

    public sealed class OddIssuer : PlatformFixture
    {
        protected override ValueTask PrepareAsync()
        {
            World.Issuer.PublishEllipticCurveKey();
            return default;
        }
    }
}
