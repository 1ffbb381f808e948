using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>
/// Routes of random transforms, and requests with random headers of the kinds that the gateway removes, over HTTP/1.1 and HTTP/2: no client's value arrives,
/// and every value that a transform writes and no later one takes back does. <c>HEADER_SEED</c> tries others.
/// </summary>
public sealed class ClientHeaderPropertyTests(ClientHeaderPropertyTests.RandomRoutes platform, ITestOutputHelper output)
    : IClassFixture<ClientHeaderPropertyTests.RandomRoutes>
{
    private const int RequestsForRoute = 3;

    private static readonly string[] s_clients =
    [
        "X-Gateway-Subject", "X-Gateway-Issuer", "X-Gateway-Organization", "X-Gateway-Role", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
        "X-Forwarded-Prefix", "X-Forwarded-User", "X-Forwarded", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Original-URL", "X-Rewrite-URL",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Remote-User", "X-Auth-Request-User", "X-MS-Client-Principal",
        "X-MS-Client-Principal-Id", "X-Amzn-Oidc-Data", "baggage", "X-Request-Id", "Cookie", "X-Remote-User", "CF-Connecting-IP", "X-Envoy-Peer",
        "X-Goog-Authenticated-User-Email", "X-Client-Cert",
    ];

    private static readonly string[] s_prefixed = [.. s_clients, "X-Edge-For", "X-Edge-Host", "X-Edge-Proto", "X-Edge-Prefix"];

    [Fact]
    public async Task A4_S10_no_clients_value_arrives_and_every_operators_value_does()
    {
        output.WriteLine($"{platform.Seed}");
        var random = platform.Seed.NewRandom();
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        foreach (var (name, transforms) in platform.Routes)
        {
            for (var i = 0; i < RequestsForRoute; i++)
            {
                var isHttp2 = i == RequestsForRoute - 1;
                var target = $"/{name}/{Guid.NewGuid():N}";
                using var request = new HttpRequestMessage(HttpMethod.Get, (isHttp2 ? platform.Http2 : platform.Http1) + target)
                {
                    Version = isHttp2 ? HttpVersion.Version20 : HttpVersion.Version11,
                    VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                };
                request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {platform.World.Token("o-acme")}");
                foreach (var header in random.GetItems(transforms.Any(transform => transform!["HeaderPrefix"] is not null) ? s_prefixed : s_clients, 30))
                    request.Headers.TryAddWithoutValidation(Spelled(header, random), $"forged-{random.Next()}");

                using var answer = await client.SendAsync(request);

                var said = $"seed {platform.Seed}, {transforms.ToJsonString()}\n{request}";
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{answer.StatusCode} {said}");
                var received = Assert.Single(
                    platform.World.Downstream.Requests.Snapshot(),
                    received => received.Target.Contains(target.Split('/')[^1], StringComparison.Ordinal)).Headers;
                Assert.True(
                    !received.Any(header => header.Value.Any(value =>
                        value.Contains("forged", StringComparison.Ordinal) || value.Contains("Bearer", StringComparison.Ordinal))),
                    $"{JsonSerializer.Serialize(received)} {said}");
                foreach (var (header, value) in Written(transforms))
                    Assert.True(
                        received.TryGetValue(header, out var values) && values.Any(arrived => arrived.Contains(value, StringComparison.Ordinal)),
                        $"{header}: {value} is missing in {JsonSerializer.Serialize(received)} {said}");
                Assert.Equal(["alice"], received["X-Gateway-Subject"]);
                Assert.Equal(answer.Headers.GetValues("X-Request-Id"), received["X-Request-Id"]);
            }
        }
    }

    private static string Spelled(string name, Random random) => random.Next(5) switch
    {
        0 => name.ToUpperInvariant(),
        1 => name.ToLowerInvariant(),
        2 when name is not ("Cookie" or "baggage") => name.Replace('-', '_'),
        3 when name is not ("Cookie" or "baggage") => name.Replace('-', '.'),
        _ => name,
    };

    /// <summary>What transforms write and no later one of them takes back, by YARP's documentation.</summary>
    private static IEnumerable<(string Header, string Value)> Written(JsonArray transforms)
    {
        for (var i = 0; i < transforms.Count; i++)
        {
            if (transforms[i]!["RequestHeader"]?.GetValue<string>() is not { } header) continue;
            var value = (transforms[i]!["Set"] ?? transforms[i]!["Append"])!.GetValue<string>();
            if (!transforms.Skip(i + 1).Any(later => TakesBack(later!.AsObject(), header))) yield return (header, value);
        }
    }

    private static bool TakesBack(JsonObject transform, string header)
    {
        bool Is(JsonNode? name) => name?.GetValue<string>().Equals(header, StringComparison.OrdinalIgnoreCase) == true;
        var isForwarded = header.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase);
        return (Is(transform["RequestHeader"]) && transform.ContainsKey("Set"))
            || Is(transform["RequestHeaderRemove"]) || Is(transform["ClientCert"])
            || (transform["X-Forwarded"]?.GetValue<string>() is { } action && action != "Off"
                && ((isForwarded && action != "Append" && !transform.ContainsKey("HeaderPrefix"))
                    || header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase)))
            || (transform.ContainsKey("Forwarded") && transform["Action"]!.GetValue<string>() is var how && how != "Off"
                && (isForwarded || (how != "Append" && header.Equals("Forwarded", StringComparison.OrdinalIgnoreCase))));
    }

    public sealed class RandomRoutes : PlatformFixture
    {
        private const int Count = 40;

        private static readonly string[] s_written =
        [
            "X-Gateway-Role", "X-Forwarded-For", "X-Forwarded-Prefix", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "X-Remote-User", "CF-Connecting-IP",
            "Authorization", "Cookie", "baggage", "X-HTTP-Method-Override", "X-Custom", "x-original-url", "X_Real_IP",
        ];

        private static readonly string[] s_actions = ["Set", "Append", "Remove", "Off"];

        public Seed Seed { get; } = Seed.Of("HEADER_SEED");

        public Dictionary<string, JsonArray> Routes { get; } = [];

        public string Http1 => Address(0);

        public string Http2 => Address(1);

        protected override void Change(JsonObject settings)
        {
            settings.Remove("Urls");
            settings.Set("Kestrel:Endpoints", """{ "A": { "Url": "http://127.0.0.1:0" }, "B": { "Url": "http://127.0.0.1:0", "Protocols": "Http2" } }""");
            var random = Seed.NewRandom();
            for (var i = 0; i < Count; i++)
            {
                var transforms = new JsonArray();
                if (random.Next(3) == 0) transforms.Add(new JsonObject { ["RequestHeadersCopy"] = "false" });
                for (var n = random.Next(1, 6); n > 0; n--) transforms.Add(Transform(random));
                Routes.Add($"random{i}", transforms);
                settings.Route($"random{i}", $"/random{i}/{{**rest}}", new JsonObject { ["Transforms"] = transforms.DeepClone() }.ToJsonString());
            }
        }

        private static JsonObject Transform(Random random)
        {
            string AName() => s_written[random.Next(s_written.Length)];
            string AnAction() => s_actions[random.Next(s_actions.Length)];
            switch (random.Next(10))
            {
                case 0: return new() { ["X-Forwarded"] = AnAction() };
                case 1: return new() { ["X-Forwarded"] = AnAction(), ["HeaderPrefix"] = "X-Edge-" };
                case 2: return new() { ["Forwarded"] = "for,host,proto,by", ["Action"] = AnAction() };
                case 3: return new() { ["RequestHeaderRemove"] = AName() };
                case 4: return new() { ["RequestHeadersAllowed"] = string.Join(';', random.GetItems(s_clients, 8).Append("Accept")) };
                case 5: return new() { ["ClientCert"] = "X-Client-Cert" };
                case 6: return new() { ["RequestHeaderRouteValue"] = "X-Rest", [random.Next(2) == 0 ? "Set" : "Append"] = "rest" };
                default: return new() { ["RequestHeader"] = AName(), [random.Next(2) == 0 ? "Set" : "Append"] = $"operator{random.Next(100_000)}" };
            }
        }

        private string Address(int index) => Gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index);
    }
}
