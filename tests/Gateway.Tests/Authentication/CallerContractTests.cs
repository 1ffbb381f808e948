using System.Text.Json;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>The contract and the order of its checks are the same for a caller by token, by configured key, by introspected key and by opaque token.</summary>
public sealed class CallerContractTests(CallerContractTests.Platform platform) : IClassFixture<CallerContractTests.Platform>
{
    private const string Own = "/organizations/o-acme/iot-endpoint-and-credentials";
    private const string Other = "/organizations/o-other/iot-endpoint-and-credentials";
    private const string Malformed = "/organizations/acme!/iot-endpoint-and-credentials";

    public static readonly TheoryData<string> Kinds = ["token", "key", "introspected key", "opaque token"];

    private static readonly (string Name, string Method, string Path, int Status, string Error)[] s_refusals =
    [
        ("405 before 422", "DELETE", Malformed, 405, "MethodNotAllowed"),
        ("405 before 403", "POST", Other, 405, "MethodNotAllowed"),
        ("422 before 403", "GET", Malformed, 422, "ValidationError"),
        ("422, bad minimumLifetime", "GET", Own + "?minimumLifetime=x", 422, "ValidationError"),
        ("422 of a pass-through route", "GET", "/organizations/acme!/devices", 422, "ValidationError"),
        ("403, not a member", "GET", Other, 403, "Forbidden"),
        ("403 of a pass-through route", "GET", "/organizations/o-other/devices", 403, "Forbidden"),
        ("403, policy not met", "GET", "/organizations/o-acme/operators/x", 403, "Forbidden"),
        ("404, no route", "GET", "/nowhere", 404, "NotFound"),
        ("400 before all", "GET", "/organizations/o-acme/a;b", 400, "BadRequest"),
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_row_of_the_contract_holds(string kind)
    {
        var vended = await SendAsync(kind, isGood: true, "GET", Own);
        Assert.True(vended.Status == 200, $"{vended.Status} {vended.Body}");
        Assert.Equal(["awsRegion", "iotEndpoint", "credentials"], vended.Data.EnumerateObject().Select(static member => member.Name));
        Assert.Equal("no-store", vended.Headers.CacheControl!.ToString());
        var passed = await SendAsync(kind, isGood: true, "GET", "/organizations/o-acme/devices");
        Assert.Equal(200, passed.Status);
        AssertForwarded(kind, passed.Json.GetProperty("headers"));

        foreach (var (name, method, path, status, error) in s_refusals)
        {
            var answer = await SendAsync(kind, isGood: true, method, path);
            Assert.True(answer.Status == status, $"{name}: {answer.Status} {answer.Body}");
            ErrorResponseAssert.Matches(status, error, answer);
            // A request without a good credential learns nothing of the route, but for what is refused before anyone is known.
            if (status == 400) continue;
            var stranger = await SendAsync(kind, isGood: false, method, path);
            Assert.True(stranger.Status == 401, $"{name} with a bad credential: {stranger.Status}");
            Assert.StartsWith("Bearer", stranger.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        }

        var allowed = await SendAsync(kind, isGood: true, "POST", Own);
        Assert.Equal(["GET"], allowed.ContentHeaders.Allow);
    }

    private static void AssertForwarded(string kind, JsonElement headers)
    {
        var (issuer, subject) = kind switch
        {
            "key" => ("urn:gateway:api-keys", "ci-robot"),
            "introspected key" => (null, "robot"),
            _ => (null, "alice"),
        };
        Assert.Equal([subject], Values("X-Gateway-Subject"));
        if (issuer is not null) Assert.Equal([issuer], Values("X-Gateway-Issuer"));
        Assert.Equal(["o-acme"], Values("X-Gateway-Organization"));
        Assert.DoesNotContain(headers.EnumerateObject(), static header =>
            header.Name.Equals(ApiKeys.Header, StringComparison.OrdinalIgnoreCase) || header.Name.Equals("Authorization", StringComparison.OrdinalIgnoreCase));

        IEnumerable<string?> Values(string name) =>
            headers.EnumerateObject().Single(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                .Value.EnumerateArray().Select(static value => value.GetString());
    }

    private Task<Response> SendAsync(string kind, bool isGood, string method, string path) => kind switch
    {
        "key" => platform.SendAsync(path, method: method, change: ApiKeys.With(isGood ? platform.Key : platform.UnknownKey)),
        "introspected key" => platform.SendAsync(path, method: method, change: ApiKeys.With(isGood ? platform.IntrospectedKey : platform.UnknownKey)),
        "opaque token" => platform.SendAsync(path, isGood ? platform.OpaqueToken : "nobody-has-this", method),
        _ => platform.SendAsync(path, isGood ? platform.World.Token("o-acme") : "e30.e30.AA", method),
    };

    public sealed class Platform : PlatformFixture
    {
        public string Key { get; } = ApiKeys.NewKey();

        public string IntrospectedKey { get; } = ApiKeys.NewKey();

        public string UnknownKey { get; } = ApiKeys.NewKey();

        private readonly SecretFile _secret = new();

        public string OpaqueToken { get; private set; } = "";

        protected override ValueTask PrepareAsync()
        {
            OpaqueToken = World.Issuer.IssueOpaque(new TokenRequest { Organizations = new[] { "o-acme" } });
            World.Issuer.Opaque[IntrospectedKey] =
                JsonNode.Parse("""{ "active": true, "client_id": "robot", "organizations": ["o-acme", "not one"] }""")!.AsObject();
            return default;
        }

        protected override void Change(JsonObject settings)
        {
            settings.AddKey("ci-robot", Key, """{ "Organizations": ["o-acme"] }""");
            settings.AddIntrospection(World.Issuer, _secret);
        }
    }
}
