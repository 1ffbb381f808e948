using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Authentication.Keys;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>An issuer that hangs, is slow or is down costs its own new keys, and nobody a wait: cached keys stay in use, and the rest is 503.</summary>
public sealed class IssuerOutageTests(ITestOutputHelper output)
{
    private const string Path = "/organizations/o-acme/x";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("B2 it hangs after the first contact")]
    [InlineData("S1 it hangs from the start")]
    [InlineData("S1 it takes 5 s a document")]
    public async Task In_12_minutes_of_a_faulty_issuer_and_junk_key_ids_no_known_token_waits(string fault)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        await using var partner = await OpenIdProvider.StartAsync();
        var isSlow = fault.Contains("5 s", StringComparison.Ordinal);
        Func<CancellationToken, Task> wait = isSlow ? cancellation => Task.Delay(TimeSpan.FromSeconds(5), time, cancellation) : Hang;
        if (!fault.Contains("after", StringComparison.Ordinal)) world.Issuer.BeforeDocument = wait;
        var gateway = await StartAsync(world, partner);
        var keys = gateway.KeysOf("Platform");
        var (known, others) = (world.Token("o-acme"), partner.Issue(new() { Organizations = (string[])["o-acme"] }));
        Assert.Equal(200, (await gateway.SendAsync(Path, others)).Status);
        if (world.Issuer.BeforeDocument is null) Assert.Equal(200, (await gateway.SendAsync(Path, known)).Status);
        world.Issuer.BeforeDocument = wait;

        var longest = TimeSpan.Zero;
        var junk = new List<Task<Response>>();
        var step = isSlow ? 2 : 8;
        for (var second = step; second <= 720; second += step)
        {
            time.Advance(TimeSpan.FromSeconds(step));
            var stranger = Junk(world, second);
            junk.Add(gateway.SendAsync(Path, stranger));
            // Time stands still until these have their answers: one that waited for it would wait for ever.
            await ExpectAsync(200, others);
            await ExpectAsync(200, stranger, "/open/x");
            if (keys.Current is not null) await ExpectAsync(200, second % 60 == 0 ? world.Token("o-acme") : known);
            else if (keys.Outage is not null) await ExpectAsync(503, known);
        }

        time.Advance(IssuerKeys.LongestWait);
        // The last may begin to wait only now.
        await Eventually.IsTrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return junk.TrueForAll(static sent => sent.IsCompleted);
        });
        Assert.All(await Task.WhenAll(junk), answer => Assert.True(answer.Status is 401 or 503, $"{answer.Status}"));
        Assert.Equal(!fault.Contains("from the start", StringComparison.Ordinal), keys.Current is not null);
        output.WriteLine($"{fault}: the longest request took {longest.TotalMilliseconds:F1} ms; the issuer was asked {world.Issuer.DiscoveryRequests} times");

        world.Issuer.RotateKeys();
        var (fresh, begun) = (world.Token("o-acme"), time.GetUtcNow());
        world.Issuer.BeforeDocument = null;
        if (keys.Fetching is { } stuck)
        {
            time.Advance(isSlow ? TimeSpan.FromSeconds(5) : IssuerDocuments.LongestRead);
            await stuck.WaitAsync(s_patience);
        }

        time.Advance(begun + TimeSpan.FromSeconds(10) - time.GetUtcNow());
        if (keys.Fetching is { } next) await next.WaitAsync(s_patience);
        Assert.Null(keys.Outage);
        await ExpectAsync(200, fresh);

        async Task ExpectAsync(int status, string token, string path = Path)
        {
            var clock = Stopwatch.StartNew();
            var answer = await gateway.SendAsync(path, token).WaitAsync(s_patience);
            if (clock.Elapsed > longest) longest = clock.Elapsed;
            if (answer.Status != status) Assert.Fail($"{path}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
        }
    }

    [Theory]
    [InlineData("F3 it refuses connections")]
    [InlineData("F3 its status is 500")]
    [InlineData("F3 its key set is HTML")]
    [InlineData("F3 its key set is cut off")]
    [InlineData("F3 its key set has no keys member")]
    [InlineData("F3 its key set is longer than a mebibyte")]
    public async Task A_token_under_a_new_key_is_503_while_the_issuer_cannot_be_read(string fault)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        // Gateways of one process share their instruments, so the scheme has a name of its own.
        var scheme = $"Platform{Guid.NewGuid():N}";
        var gateway = await StartAsync(world, change: settings =>
        {
            var schemes = settings["Authentication"]!["Schemes"]!.AsObject();
            var platform = schemes["Platform"]!.DeepClone();
            schemes.Remove("Platform");
            schemes[scheme] = platform;
        });
        var known = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(Path, known)).Status);
        await ExpectHealthAsync("Healthy", 0);

        world.Issuer.RotateKeys();
        await BreakAsync();
        for (var i = 0; i < 10; i++)
        {
            ExpectUnavailable(await gateway.SendAsync(Path, world.Token("o-acme")));
            ExpectUnavailable(await gateway.VendAsync("o-acme"));
        }

        // Checks come in their order: the token first.
        ExpectUnavailable(await gateway.SendAsync(Requests.CredentialsPath("o-acme"), world.Token("o-acme"), "POST"));
        ExpectUnavailable(await gateway.SendAsync("/nowhere", world.Token("o-acme")));
        // Known keys stay in use, and a bad signature under one of them is judged as ever.
        Assert.Equal(200, (await gateway.SendAsync(Path, known)).Status);
        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, Forged(world)), tokenSent: true);
        await ExpectHealthAsync("Degraded", 1);
        for (var i = 0; i < 5; i++)
        {
            time.Advance(TimeSpan.FromSeconds(8));
            if (gateway.KeysOf(scheme).Fetching is { } attempt) await attempt.WaitAsync(s_patience);
        }

        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, $"{scheme}'s issuer cannot be read from http://127.0.0.1"));
        await MendAsync();
        time.Advance(TimeSpan.FromSeconds(8));
        if (gateway.KeysOf(scheme).Fetching is { } last) await last.WaitAsync(s_patience);

        Assert.Equal(200, (await gateway.SendAsync(Path, world.Token("o-acme"))).Status);
        await ExpectHealthAsync("Healthy", 0);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, $"{scheme}'s issuer can be read again"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "cannot be read"));

        async Task BreakAsync()
        {
            if (fault.EndsWith("connections", StringComparison.Ordinal)) await world.Issuer.StopAsync();
            else if (fault.EndsWith("500", StringComparison.Ordinal)) world.Issuer.BeforeDocument = _ => throw new InvalidOperationException("broken");
            else world.Issuer.KeySetText = keys => fault.EndsWith("HTML", StringComparison.Ordinal) ? "<html><body>Bad gateway</body></html>"
                : fault.EndsWith("cut off", StringComparison.Ordinal) ? keys.ToJsonString()[..100]
                : fault.EndsWith("member", StringComparison.Ordinal) ? "{}"
                : $$"""{ "keys": {{keys.ToJsonString()}}, "more": "{{new string('x', 1024 * 1024)}}" }""";
        }

        async Task MendAsync()
        {
            (world.Issuer.BeforeDocument, world.Issuer.KeySetText) = (null, null);
            await world.Issuer.RestartAsync();
        }

        async Task ExpectHealthAsync(string health, int unavailable)
        {
            var ready = await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready");
            Assert.True(ready.Status == 200, $"{ready.Status} {ready.Body}");
            Assert.Contains(health, ready.Body, StringComparison.Ordinal);
            // The exporter may answer with what it collected a moment ago.
            var shown = new Regex($$"""gateway_issuer_unavailable\{[^}]*scheme="{{scheme}}"[^}]*\} {{unavailable}}(\s|$)""");
            await Eventually.IsTrueAsync(async () => shown.IsMatch((await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body));
        }
    }

    [Theory]
    [InlineData("its keys were never read", false)]
    [InlineData("its keys were read before", true)]
    public async Task A_token_that_no_key_makes_good_is_401_at_once_while_the_issuer_hangs(string name, bool wasRead)
    {
        // Time stands still, so a request that waited for keys would wait for ever.
        await using var world = await World.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        if (!wasRead) world.Issuer.BeforeDocument = Hang;
        var gateway = await StartAsync(world);
        if (wasRead) Assert.Equal(200, (await gateway.SendAsync(Path, world.Token("o-acme"))).Status);
        world.Issuer.BeforeDocument = Hang;
        var fetching = gateway.KeysOf("Platform").FetchAsync();

        foreach (var (kind, bad) in s_hopeless)
        {
            foreach (var request in (TokenRequest[])[bad with { KeyId = "new" }, bad with { Key = s_stranger, WithoutKeyId = true }])
            {
                var answer = await gateway.SendAsync(Path, world.Issuer.Issue(request with { Organizations = (string[])["o-acme"] })).WaitAsync(s_patience);
                Assert.True(answer.Status == 401, $"{name}, {kind}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
                ErrorResponseAssert.IsUnauthenticated(answer, tokenSent: true);
            }
        }

        Assert.False(fetching.IsCompleted);
    }

    [Theory]
    [InlineData("another issuer", "https://other.example.com", null, false)]
    [InlineData("a slash more", "AUTHORITY/", null, false)]
    [InlineData("other letters", "HTTP://127.0.0.1", null, false)]
    [InlineData("an empty one", "", null, false)]
    [InlineData("none", null, null, false)]
    [InlineData("any tenant's", "{tenantid}", null, false)]
    [InlineData("another than the tokens'", "https://other.example.com", "https://id.example.com", false)]
    [InlineData("the tokens'", "https://id.example.com", "https://id.example.com", true)]
    [InlineData("the authority's, as of AD FS", "AUTHORITY", "http://adfs.example.com/adfs/services/trust", true)]
    [InlineData("the authority's without its slash", "AUTHORITY", "http://adfs.example.com/adfs/services/trust", true)]
    [InlineData("any tenant's of the tokens'", "https://login.example.com/{tenantid}/v2.0", "https://login.example.com/t-1/v2.0", true)]
    [InlineData("any tenant's of another version", "https://login.example.com/{tenantid}/v1.0", "https://login.example.com/t-1/v2.0", false)]
    [InlineData("any tenant's, who would be two segments", "https://login.example.com/{tenantid}/v2.0", "https://login.example.com/t-1/more/v2.0", false)]
    [InlineData("any tenant's, who would be none", "https://login.example.com/{tenantid}/v2.0", "https://login.example.com//v2.0", false)]
    public async Task A_discovery_document_of_another_issuer_is_an_outage_that_names_both(string name, string? documented, string? valid, bool isAccepted)
    {
        await using var world = await World.StartAsync();
        var authority = world.Issuer.Issuer;
        documented = documented?.Replace("AUTHORITY", authority, StringComparison.Ordinal);
        world.Issuer.ChangeDiscovery = document => document["issuer"] = documented;
        var gateway = await StartAsync(world, change: settings =>
        {
            if (valid is not null) settings.Set("Authentication:Schemes:Platform:ValidIssuers", new JsonArray(valid).ToJsonString());
            if (name.EndsWith("without its slash", StringComparison.Ordinal)) settings.Set("Authentication:Schemes:Platform:Authority", $"\"{authority}/\"");
        });

        var answer = await gateway.SendAsync(Path, world.Issuer.Issue(new() { Issuer = valid ?? authority, Organizations = (string[])["o-acme"] }));

        Assert.True(answer.Status == (isAccepted ? 200 : 503), $"{name}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");
        if (isAccepted) return;
        ExpectUnavailable(answer);
        var outage = gateway.KeysOf("Platform").Outage!;
        Assert.Contains(
            documented is null ? "it has no issuer" : $"its issuer is \"{documented}\", and not \"{valid ?? authority}\"",
            outage.Cause,
            StringComparison.Ordinal);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, outage.Cause));
    }

    [Fact]
    public async Task B10_an_issuer_that_is_down_from_the_start_is_503_until_it_is_up_and_costs_no_address_its_tokens()
    {
        await using var world = await World.StartAsync();
        await world.Issuer.StopAsync();
        var gateway = await StartAsync(world, change: settings => settings.Set("Edge:FailedAuthentications:PermitLimit", "3"));

        for (var i = 0; i < 10; i++) ExpectUnavailable(await gateway.VendAsync("o-acme"));
        Assert.Contains("Degraded", (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Body, StringComparison.Ordinal);
        await world.Issuer.RestartAsync();

        await Eventually.IsTrueAsync(async () => (await gateway.VendAsync("o-acme")).Status == 200, () => gateway.Log.Text);
    }

    [Fact]
    public async Task S1_a_request_that_waits_for_keys_ends_with_its_own_timeout()
    {
        // Time stands still, so nothing else ends the wait.
        await using var world = await World.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        world.Issuer.BeforeDocument = Hang;
        var gateway = await StartAsync(world, change: settings => settings.Set("ReverseProxy:Routes:organizations:Timeout", "\"00:00:01\""));

        ErrorResponseAssert.Matches(504, "GatewayTimeout", await gateway.SendAsync(Path, world.Token("o-acme")).WaitAsync(s_patience));
    }

    [Fact]
    public async Task S1_requests_that_wait_for_keys_wait_for_one_fetch()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        var (before, gate) = (world.Issuer.KeySetRequests, new TaskCompletionSource());
        world.Issuer.BeforeDocument = gate.Task.WaitAsync;
        world.Issuer.RotateKeys();

        var waiting = Enumerable.Range(0, 20).Select(_ => gateway.SendAsync(Path, world.Token("o-acme"))).ToArray();
        // Others are answered while those wait.
        Assert.Equal(200, (await gateway.SendAsync("/open/x", world.Token("o-acme"))).Status);
        gate.SetResult();

        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(200, answer.Status));
        Assert.Equal(1, world.Issuer.KeySetRequests - before);
    }

    [Theory]
    [InlineData("F3 under the same key id", true)]
    [InlineData("F3 under no key id", false)]
    public async Task A_key_that_is_replaced_is_found_on_the_first_request(string name, bool hasId)
    {
        Assert.NotEmpty(name);
        await using var world = await World.StartAsync();
        world.Issuer.KeySetText = keys => Set(keys, hasId ? "the-key" : null);
        var gateway = await StartAsync(world);
        Assert.Equal(200, (await gateway.SendAsync(Path, Token())).Status);

        world.Issuer.RotateKeys();
        world.Issuer.WithdrawOldKeys();

        Assert.Equal(200, (await gateway.SendAsync(Path, Token())).Status);

        string Token() => world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], KeyId = "the-key", WithoutKeyId = !hasId });

        static string Set(JsonArray keys, string? id)
        {
            foreach (var key in keys) key!["kid"] = id;
            return new JsonObject { ["keys"] = keys.DeepClone() }.ToJsonString();
        }
    }

    [Fact]
    public async Task A_withdrawn_key_stops_within_5_minutes_without_a_request()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await StartAsync(world);
        var token = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);
        world.Issuer.RotateKeys();
        world.Issuer.WithdrawOldKeys();

        time.Advance(TimeSpan.FromMinutes(5));
        if (gateway.KeysOf("Platform").Fetching is { } fetch) await fetch.WaitAsync(s_patience);

        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, token), tokenSent: true);
    }

    private static readonly Dictionary<string, TokenRequest> s_hopeless = new()
    {
        ["expired"] = new() { NotBefore = TimeSpan.FromHours(-1), Expires = TimeSpan.FromSeconds(-60) },
        ["not yet valid"] = new() { NotBefore = TimeSpan.FromSeconds(60) },
        ["without an end"] = new() { Expires = null },
        ["for another audience"] = new() { Audiences = ["api://other"] },
        ["for no audience"] = new() { Audiences = [] },
        ["of another issuer"] = new() { Issuer = "https://evil.example" },
        ["unsigned"] = new() { Algorithm = "none" },
        ["by a shared secret"] = new() { Algorithm = "HS256" },
        ["an ID token"] = new() { Type = "JWT", Claims = new Dictionary<string, object?> { ["nonce"] = "n" } },
        ["a logout token"] = new() { Type = "logout+jwt" },
        ["with a crit header"] = new() { Header = new Dictionary<string, object?> { ["crit"] = new[] { "exp" } } },
        ["without a subject"] = new() { Subject = null },
    };

    private static void ExpectUnavailable(Response answer)
    {
        ErrorResponseAssert.Matches(503, "ServiceUnavailable", answer);
        Assert.InRange(int.Parse(Assert.Single(answer.Headers.GetValues("Retry-After")), CultureInfo.InvariantCulture), 1, 10);
    }

    private static Task Hang(CancellationToken cancellation) => Task.Delay(Timeout.Infinite, cancellation);

    private static string Junk(World world, int number) =>
        world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = s_stranger, KeyId = $"junk-{number}" });

    private static string Forged(World world) =>
        world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = s_stranger, KeyId = world.Issuer.PublishedKeys[0].KeyId });

    private static readonly SigningKey s_stranger = SigningKey.CreateRsa();

    private static Task<RunningGateway> StartAsync(World world, OpenIdProvider? partner = null, Action<JsonObject>? change = null) =>
        world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis()
                .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
                .Set("Edge:FailedAuthentications:PermitLimit", "1000000");
            if (partner is not null)
            {
                settings.Set("Authentication:Schemes:Partner", $$"""
                    { "Authority": "{{partner.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"],
                      "Organizations": { "Claim": "organizations" } }
                    """);
            }

            change?.Invoke(settings);
        });
}
