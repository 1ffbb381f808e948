using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Authentication;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Configured API keys: whom they let in, with what, from where and until when.</summary>
public sealed class ApiKeyTests(ApiKeyTests.Platform platform, ITestOutputHelper output) : IClassFixture<ApiKeyTests.Platform>
{
    private const string Path = "/organizations/o-acme/x";
    private const string Foreign = "sk_live.0123456789";
    private const string Guessable = "igw_dev";

    private static readonly Dictionary<string, Func<Platform, Action<HttpRequestMessage>>> s_bad = new()
    {
        ["no character"] = _ => ApiKeys.With(""),
        ["one character"] = _ => ApiKeys.With("x"),
        ["513 characters"] = _ => ApiKeys.With(new string('x', 513)),
        ["20,000 characters"] = _ => ApiKeys.With(new string('x', 20_000)),
        ["a space inside"] = platform => ApiKeys.With(platform.Key.Insert(20, " ")),
        ["the key twice"] = platform => ApiKeys.With(platform.Key, platform.Key),
        ["two keys"] = platform => ApiKeys.With(platform.Key, platform.Foreign),
        ["two keys in one header"] = platform => ApiKeys.With($"{platform.Key},{platform.Foreign}"),
        ["the key in capitals"] = platform => ApiKeys.With(platform.Key.ToUpperInvariant()),
        ["one character less"] = platform => ApiKeys.With(platform.Key[..^1]),
        ["another character at the end"] = platform => ApiKeys.With(platform.Key[..^1] + (platform.Key[^1] == 'A' ? 'B' : 'A')),
        ["its hash"] = platform => ApiKeys.With(ApiKeyText.Sha256Of(platform.Key)),
        ["an unknown key of the same make"] = platform => ApiKeys.With(platform.Unknown),
        ["an unknown key of another make"] = _ => ApiKeys.With("sk_live.9876543210"),
        ["an expired key"] = platform => ApiKeys.With(platform.Expired),
        ["a configured key that only looks like one of the gateway's make"] = _ => ApiKeys.With(Guessable),
        ["as a bearer token"] = platform => request => request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {platform.Key}"),
        ["in the query"] = platform => request => request.RequestUri = new Uri($"{request.RequestUri}?X-API-Key={platform.Key}&api_key={platform.Key}"),
        ["in a cookie"] = platform => request => request.Headers.TryAddWithoutValidation("Cookie", $"X-API-Key={platform.Key}"),
        ["in another header"] = platform => request => request.Headers.TryAddWithoutValidation("X_API_Key", platform.Key),
        ["with a good token"] = platform => request =>
        {
            ApiKeys.With(platform.Key)(request);
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {platform.World.Token("o-acme")}");
        },
        ["with a bad token"] = platform => request =>
        {
            ApiKeys.With(platform.Key)(request);
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer x");
        },
    };

    public static readonly TheoryData<string> Bad = [.. s_bad.Keys];

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_key_is_401_and_nothing_of_it_is_logged(string name)
    {
        var answer = await platform.SendAsync(Path, change: s_bad[name](platform));

        ErrorResponseAssert.Matches(401, "Unauthenticated", answer);
        // It is the request that is refused, not the caller.
        Assert.Equal(200, (await platform.SendAsync(Path, change: ApiKeys.With(platform.Key))).Status);
        foreach (var secret in new[] { platform.Key, platform.Foreign, platform.Expired })
            Assert.DoesNotContain(secret, platform.Gateway.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u00e9clair-key")]
    [InlineData("key\u0000")]
    [InlineData("key\u0007bell")]
    [InlineData("\ud83d\udd11")]
    public async Task Characters_that_no_key_has_are_refused(string key)
    {
        var bytes = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(key));
        var answer = await RawHttp.ExchangeAsync(
            platform.Gateway.Url, $"GET {Path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {bytes}\r\nConnection: close\r\n\r\n");

        Assert.Matches("^HTTP/1.1 40[01] ", answer);
    }

    [Fact]
    public async Task A_key_of_100_000_characters_is_refused_by_the_servers_own_limit()
    {
        var answer = await RawHttp.ExchangeAsync(
            platform.Gateway.Url, $"GET {Path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {new string('x', 100_000)}\r\nConnection: close\r\n\r\n");

        // Kestrel closes the connection with what it has not read, so its response can be lost on the way.
        Assert.Matches("^(HTTP/1.1 431 |$)", answer);
    }

    [Fact]
    public async Task A_key_of_another_make_is_accepted_by_its_hash()
    {
        Assert.Equal(200, (await platform.SendAsync(Path, change: ApiKeys.With(platform.Foreign))).Status);
        Assert.Equal(200, (await platform.SendAsync(Path, change: ApiKeys.With(platform.Longest))).Status);
    }

    [Fact]
    public async Task Roles_and_scopes_of_a_key_meet_policies()
    {
        Assert.Equal(200, (await platform.SendAsync("/organizations/o-acme/operators/x", change: ApiKeys.With(platform.Key))).Status);
        Assert.Equal(403, (await platform.SendAsync("/organizations/o-acme/operators/x", change: ApiKeys.With(platform.Foreign))).Status);
        Assert.Equal(200, (await platform.SendAsync("/keys-only/x", change: ApiKeys.With(platform.Key))).Status);
        Assert.Equal(403, (await platform.SendAsync("/keys-only/x", platform.World.Token("o-acme"))).Status);
    }

    [Fact]
    public async Task A_key_is_403_from_an_address_that_it_does_not_allow_after_422()
    {
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync(Path, change: ApiKeys.With(platform.Elsewhere)));
        ErrorResponseAssert.Matches(422, "ValidationError", await platform.SendAsync("/organizations/!/x", change: ApiKeys.With(platform.Elsewhere)));
        ErrorResponseAssert.Matches(403, "Forbidden", await platform.SendAsync("/open/x", change: ApiKeys.With(platform.Elsewhere)));
        Assert.Equal(200, (await platform.SendAsync(Path, change: ApiKeys.With(platform.Here))).Status);
    }

    [Fact]
    public async Task A_route_that_forwards_everything_does_not_forward_the_key()
    {
        var passed = await platform.SendAsync("/trusted/x", change: request =>
        {
            ApiKeys.With(platform.Key)(request);
            request.Headers.TryAddWithoutValidation("x.api.key", "also");
        });

        Assert.Equal(200, passed.Status);
        Assert.DoesNotContain(
            passed.Json.GetProperty("headers").EnumerateObject(), static header => header.Name.Contains("key", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/trusted/x", "DPoP forged", false)]
    [InlineData("/trusted/x", "Token forged", false)]
    [InlineData("/trusted/x", "eyJhbGciOiJub25lIn0.e30.", false)]
    [InlineData("/trusted/x", "Bearer\tforged", false)]
    [InlineData("/trusted/x", "Bearer", false)]
    [InlineData("/trusted/x", "Basic Zm9yZ2Vk", false)]
    [InlineData("/trusted-open/x", "Basic Zm9yZ2Vk", true)]
    public async Task S28_an_Authorization_header_beside_a_key_is_passed_on_where_anyone_may_call(string path, string authorization, bool isPassed)
    {
        var response = await platform.SendAsync(path, change: request =>
        {
            ApiKeys.With(platform.Key)(request);
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        });

        Assert.True(response.Status == 200, response.Body);
        Assert.Equal(isPassed, response.Json.GetProperty("headers").TryGetProperty("Authorization", out _));
    }

    [Fact]
    public async Task S28_the_token_that_was_checked_is_passed_on()
    {
        var token = platform.World.Token("o-acme");

        var response = await platform.SendAsync("/trusted/x", token);

        Assert.Equal($"Bearer {token}", response.Json.GetProperty("headers").GetProperty("Authorization")[0].GetString());
    }

    [Fact]
    public async Task A_session_per_caller_is_named_after_the_key()
    {
        var before = platform.World.Aws.Calls.Count();
        Assert.Equal(200, (await platform.SendAsync("/user/o-acme", change: ApiKeys.With(platform.Key))).Status);
        Assert.Equal(200, (await platform.SendAsync("/user/o-acme", change: ApiKeys.With(platform.Foreign))).Status);

        var sessions = platform.World.Aws.Calls.Snapshot().Skip(before).Where(static call => call.AssumeRole is not null).ToList();
        Assert.Equal(2, sessions.Select(static call => call.AssumeRole!.RoleSessionName).Distinct().Count());
    }

    [Fact]
    public async Task The_limit_per_subject_is_each_keys_own()
    {
        Assert.Equal(200, (await platform.SendAsync("/limited/x", change: ApiKeys.With(platform.Key))).Status);
        ErrorResponseAssert.Matches(429, "TooManyRequests", await platform.SendAsync("/limited/x", change: ApiKeys.With(platform.Key)));
        Assert.Equal(200, (await platform.SendAsync("/limited/x", change: ApiKeys.With(platform.Foreign))).Status);
    }

    [Fact]
    public async Task Access_lines_metrics_and_refusals_name_the_scheme_and_never_the_key()
    {
        await platform.SendAsync(Path, change: ApiKeys.With(platform.Key));
        await platform.SendAsync(Path, change: ApiKeys.With(platform.Unknown));
        await platform.Gateway.Log.WaitForAsync(
            LogLevel.Information, "\"scheme\":\"ApiKeys\",\"issuer\":\"urn:gateway:api-keys\",\"subject\":\"ci-robot\"");
        await platform.Gateway.Log.WaitForAsync(
            LogLevel.Information, $"Gateway.Authentication.Refusals: A token or API key was refused (scheme ApiKeys): {ApiKeyAuthentication.Unknown};");
        var metrics = await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/metrics");

        foreach (var outcome in new[] { "accepted", "refused" })
            Assert.Matches($$"""gateway_authentications_total\{.*outcome="{{outcome}}".*scheme="ApiKeys" """.TrimEnd(), metrics.Body);
    }

    [Fact]
    public async Task An_operator_may_act_by_key_and_a_key_of_another_address_may_not()
    {
        foreach (var (key, status) in new[] { (platform.Key, 204), (platform.Foreign, 403), (platform.Elsewhere, 403), (platform.Unknown, 401) })
        {
            var answer = await platform.World.Client.SendAsync(
                platform.Gateway.ManagementUrl + "/organizations/o-acme/credentials", method: "DELETE", change: ApiKeys.With(key));
            Assert.True(answer.Status == status, $"{answer.Status}, and not {status}");
        }
    }

    [Fact]
    public void Timing_of_wrong_keys_tells_nothing()
    {
        // The text is hashed before anything is compared, so the time of a look-up cannot depend on how much of a key is right.
        var table = (ApiKeyTable)platform.Gateway.Services.GetService(typeof(ApiKeyTable))!;
        var kinds = new Dictionary<string, string>
        {
            ["nothing right"] = ApiKeyText.Create(),
            ["all but the last character right"] = Foreign[..^1] + "x",
            ["all but the first character right"] = "x" + Foreign[1..],
        };
        foreach (var (kind, key) in kinds)
        {
            var times = new double[10_000];
            for (var round = 0; round < times.Length; round++)
            {
                var begun = Stopwatch.GetTimestamp();
                Assert.Null(table.Find(key));
                times[round] = Stopwatch.GetElapsedTime(begun).TotalNanoseconds;
            }

            Array.Sort(times);
            output.WriteLine($"{kind}: median {times[5_000]:F0} ns, p99 {times[9_900]:F0} ns");
        }
    }

    public sealed class Platform : PlatformFixture
    {
        public string Key { get; } = ApiKeys.NewKey();

        public string Unknown { get; } = ApiKeys.NewKey();

        public string Expired { get; } = ApiKeys.NewKey();

        public string Elsewhere { get; } = ApiKeys.NewKey();

        public string Here { get; } = ApiKeys.NewKey();

        public string Foreign { get; } = ApiKeyTests.Foreign;

        public string Longest { get; } = new('k', 512);

        protected override void Change(JsonObject settings) => settings
            .AddKey("ci-robot", Key, """{ "Organizations": ["o-acme"], "Roles": ["operator"], "Scopes": ["iot.connect"] }""")
            .AddKey("foreign", Foreign, """{ "Organizations": ["o-acme"] }""")
            .AddKey("guessable", Guessable, """{ "Organizations": ["o-acme"] }""")
            .AddKey("longest", Longest, """{ "Organizations": ["o-acme"], "Expires": "2999-01-01T00:00:00+02:00" }""")
            .AddKey("expired", Expired, """{ "Organizations": ["o-acme"], "Expires": "2020-01-01T00:00:00Z" }""")
            .AddKey("elsewhere", Elsewhere, """{ "Organizations": ["o-acme"], "Roles": ["operator"], "IpAllow": ["10.0.0.0/8"] }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Set("Authorization:Policies:Operators", """{ "Roles": ["operator"] }""")
            .AddKey("here", Here, """{ "Organizations": ["o-acme"], "IpAllow": ["10.0.0.0/8", "127.0.0.1"] }""")
            .Set("Edge:FailedAuthentications:PermitLimit", "1000")
            .Set("Authorization:Policies:KeysOnly", """{ "Schemes": ["ApiKeys"] }""")
            .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Subject", "PermitLimit": 1, "Window": "01:00:00" }""")
            .Set("IotCredentials:Profiles:user", settings["IotCredentials"]!["Profiles"]!["default"]!.ToJsonString())
            .Set("IotCredentials:Profiles:user:Scope", "\"User\"")
            .Set("ReverseProxy:Routes:user", """
                { "Match": { "Path": "/user/{organizationId}" }, "AuthorizationPolicy": "OrganizationMember",
                  "Metadata": { "Module": "IotCredentials", "Profile": "user" } }
                """)
            .Route("limited", "/limited/{**rest}", """{ "RateLimiterPolicy": "Once" }""")
            .Route("trusted-open", "/trusted-open/{**rest}", """{ "AuthorizationPolicy": "Anonymous", "Metadata": { "ForwardAuthorization": "true" } }""")
            .Route("keys-only", "/keys-only/{**rest}", """{ "AuthorizationPolicy": "KeysOnly" }""");
    }
}
