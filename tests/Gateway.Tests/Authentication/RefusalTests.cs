using System.Text.RegularExpressions;
using Gateway.Tests.Commands;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Why a token was refused is one line in the log, which holds nothing of the token, and <c>explain</c> says the same.</summary>
public sealed partial class RefusalTests : IAsyncLifetime
{
    private const string Path = "/organizations/o-acme/x";
    private static readonly SigningKey s_stranger = SigningKey.CreateRsa();

    private static readonly Dictionary<string, (Func<World, string> Token, string Scheme, string Reason, bool IsExplained)> s_refused = new()
    {
        ["expired"] = (static world => world.Issuer.Issue(new() { NotBefore = TimeSpan.FromHours(-2), Expires = TimeSpan.FromHours(-1) }),
            "Platform", "it expired at ", true),
        ["another audience"] = (static world => world.Issuer.Issue(new() { Audiences = ["api://other"] }),
            "Platform", "the audience is not one of api://gateway", true),
        ["another algorithm"] = (static world => world.Issuer.Issue(new() { Algorithm = "HS256" }), "Platform", "the algorithm is not one of ", true),
        ["an ID token"] = (static world => world.Issuer.Issue(new() { Type = "JWT", Claims = new Dictionary<string, object?> { ["nonce"] = "n" } }),
            "Platform", "the token is an ID token (nonce)", true),
        ["no subject"] = (static world => world.Issuer.Issue(new() { Subject = null }), "Platform", "the token has no claim sub (SubjectClaim)", true),
        ["a foreign signature"] = (static world => world.Issuer.Issue(new() { Key = s_stranger, KeyId = world.Issuer.CurrentKey.KeyId }),
            "Platform", "its signature does not verify under its issuer's keys", false),
        ["an unknown key"] = (static world => world.Issuer.Issue(new() { Key = s_stranger, KeyId = "unknown" }),
            "Platform", "its issuer publishes no key of its key id", false),
        ["an unknown issuer"] = (static world => world.Issuer.Issue(new() { Issuer = "https://other.example" }),
            "none", "no scheme is configured for its issuer", true),
        ["an encrypted token"] = (static _ => "e30.wrapped1.vector22.cipher33.tagged44", "none", "it is encrypted, so only its issuer can read it", true),
        ["no token at all"] = (static _ => "not-a-token", "none", "it is not a JWT with exactly one iss claim", true),
    };

    public static readonly TheoryData<string> Refused = [.. s_refused.Keys];

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private World _world = null!;
    private RunningGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(_time);
        _gateway = await _world.StartGatewayAsync(static settings => settings.WithoutRedis());
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_refused_token_is_one_line_with_scheme_reason_issuer_and_key_id(string name)
    {
        var (create, scheme, reason, isExplained) = s_refused[name];
        var token = create(_world);

        Assert.Equal(401, (await _gateway.SendAsync(Path, token)).Status);

        var line = Assert.Single(Lines());
        Assert.Contains($"(scheme {scheme}): {reason}", line, StringComparison.Ordinal);
        var isReadable = name is not ("no token at all" or "an encrypted token");
        Assert.Contains(isReadable ? "issuer \"http" : "issuer none", line, StringComparison.Ordinal);
        Assert.Contains(name == "an unknown key" ? "key id \"unknown\"" : isReadable ? "key id " : "key id none", line, StringComparison.Ordinal);
        foreach (var part in token.Split('.')) Assert.DoesNotContain(part, line, StringComparison.Ordinal);

        if (!isExplained) return;
        using var folder = _world.Folder(static settings => settings.WithoutRedis());
        var explained = await CommandResult.RunAsync(["explain", "--path", Path, "--token", token, "--format", "json", "--config", folder.Path]);
        var failures = explained.Json.GetProperty("token").GetProperty("failures").EnumerateArray().Select(static failure => failure.GetString()!);
        Assert.Contains(failures, failure => line.Contains($"): {failure};", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_token_again_is_no_other_reason()
    {
        var token = _world.Issuer.Issue(new() { Audiences = ["api://other"] });
        for (var number = 0; number < 5; number++) Assert.Equal(401, (await _gateway.SendAsync(Path, token)).Status);

        Assert.Contains("the audience is not one of", Assert.Single(Lines()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/3f2b1c9e-8a47-4d1e-9c55-0b6f7e2a1d34/v2.0", "nOo3ZDrODXEK1jKWhXslHR_KXEg", true)]
    [InlineData("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC123xYz", "a7f3Kq9+Zx/8Lm2=", true)]
    [InlineData("https://id.example.com/\n2999-01-01 forged line", "kid\u2028\"x", false)]
    public async Task Issuer_and_key_id_are_shown_as_they_are_on_one_line(string issuer, string keyId, bool isWhole)
    {
        Assert.Equal(401, (await _gateway.SendAsync(Path, _world.Issuer.Issue(new() { Issuer = issuer, KeyId = keyId }))).Status);

        var line = Assert.Single(Lines());
        Assert.Equal(isWhole, line.Contains($"issuer \"{issuer}\", key id \"{keyId}\"", StringComparison.Ordinal));
        Assert.Matches("issuer \"[ -~]+\", key id \"[ -~]+\"; 0 more", line);
    }

    [Fact]
    public async Task A_reason_is_logged_once_in_a_minute_with_the_number_of_those_left_out()
    {
        for (var number = 0; number < 10; number++)
            Assert.Equal(401, (await _gateway.SendAsync(Path, _world.Issuer.Issue(new() { Subject = $"s{number}", Audiences = ["api://other"] }))).Status);
        Assert.Equal(401, (await _gateway.SendAsync(Path, _world.Issuer.Issue(new() { Subject = null }))).Status);
        Assert.Equal(2, Lines().Count());

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(401, (await _gateway.SendAsync(Path, _world.Issuer.Issue(new() { Subject = "later", Audiences = ["api://other"] }))).Status);

        Assert.Contains("; 9 more with that reason since the last line", Lines().Last(), StringComparison.Ordinal);
    }

    private IEnumerable<string> Lines() => Line().Matches(_gateway.Log.Text).Select(static line => line.Value);

    [GeneratedRegex("^Information Gateway.Authentication.Refusals: .*$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
