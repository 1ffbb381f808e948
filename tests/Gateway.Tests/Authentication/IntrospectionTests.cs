using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Opaque tokens and other keys are what the introspection endpoint says of them now, and an endpoint that misbehaves hurts nobody else.</summary>
public sealed class IntrospectionTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Acme = "/organizations/o-acme/x";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SecretFile _secret = new();
    private World _world = null!;

    public static readonly TheoryData<string, int> Answers = new()
    {
        { """{ "active": true, "sub": "a", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "client_id": "a", "token_type": "Bearer", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "client_id": "a", "token_use": "access_token", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "client_id": "a", "token_usage": "access_token", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "client_id": "a", "scope": "read", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "client_id": "a", "iat": 1, "exp": 4102444800, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "client_id": "a", "sub": null, "token_type": null, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "token_usage": "refresh_token", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "typ": "Refresh", "token_type": "Bearer", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "typ": "Offline", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "typ": "ID", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "typ": "Bearer", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "sub": "a", "typ": "at+jwt", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "sub": "a", "organizations": ["o-acme"], "exp": 4102444800, "nbf": 0, "unknown": { "deep": [1] } }""", 200 },
        { """{ "active": true, "sub": "a", "organizations": ["o-acme", "O-ACME", "", "o-*", "o-acme/x"] }""", 200 },
        { "\uFEFF" + """{ "active": true, "sub": "a", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": false }""", 401 },
        { """{ "active": false, "sub": "a", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": 7, "client_id": "a", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "iss": "urn:gateway:api-keys", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "iss": ["x"], "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "exp": 1, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "exp": "4102444800", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "exp": 1e300, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "nbf": 4102444800, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "token_type": "bearer", "token_use": "access_token", "organizations": ["o-acme"] }""", 200 },
        { """{ "active": true, "sub": "a", "token_type": "DPoP", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "token_use": "refresh_token", "organizations": ["o-acme"] }""", 401 },
        { $$"""{ "active": true, "sub": "{{new string('a', 1024)}}", "organizations": ["o-acme"] }""", 200 },
        { $$"""{ "active": true, "sub": "{{new string('a', 1025)}}", "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "cnf": { "jkt": "x" }, "organizations": ["o-acme"] }""", 401 },
        { """{ "active": true, "sub": "a", "organizations": "o-acme" }""", 403 },
        { """{ "active": true, "sub": "a", "organizations": ["not an id", "o-other"] }""", 403 },
        { """{ "active": true, "sub": "a" }""", 403 },
        { """{ "active": "true", "sub": "a", "organizations": ["o-acme"] }""", 503 },
        { """{ "active": 1, "sub": "a", "organizations": ["o-acme"] }""", 503 },
        { """{ "active": null, "sub": "a", "organizations": ["o-acme"] }""", 503 },
        { """{ "sub": "a", "organizations": ["o-acme"] }""", 503 },
        { """{ "active": false, "active": true, "sub": "a", "organizations": ["o-acme"] }""", 503 },
        { """{ "active": true, "sub": "a", "sub": "b", "organizations": ["o-acme"] }""", 503 },
        { """{ "active": true, "sub": "\ud800", "organizations": ["o-acme"] }""", 503 },
        { """[ { "active": true, "sub": "a", "organizations": ["o-acme"] } ]""", 503 },
        { """<html>{ "active": true, "sub": "a", "organizations": ["o-acme"] }</html>""", 503 },
        { "", 503 },
        { "1 MB", 503 },
        { "deep", 503 },
        { "status 500", 503 },
        { "status 401", 503 },
        { "redirect", 503 },
        { "drop", 503 },
    };

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(_time);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task An_answer_lets_in_whom_it_names_clearly_and_nobody_else(string answer, int status)
    {
        var gateway = await StartAsync();
        _world.Issuer.AnswerIntrospection = async (context, _, cancellation) =>
        {
            await AnswerAsync(context, answer, cancellation);
            return true;
        };

        var response = await gateway.SendAsync(Acme, "an-opaque-token");

        Assert.True(response.Status == status, $"{response.Status} {response.Body}");
        if (status >= 400) Assert.Equal(["error", "message"], response.Json.EnumerateObject().Select(static member => member.Name));
        if (status == 503) Assert.NotNull(response.Headers.RetryAfter);
        if (status == 503) Assert.Equal(1, _world.Issuer.Introspections);
        // Whatever it said, it is not asked again at once.
        await gateway.SendAsync(Acme, "an-opaque-token");
        Assert.Equal(1, _world.Issuer.Introspections);
        Assert.Equal(200, (await gateway.SendAsync(Acme, _world.Token("o-acme"))).Status);
    }

    [Theory]
    [InlineData("", 200)]
    [InlineData("\"token_type\": \"Bearer\",", 200)]
    [InlineData("\"token_type\": \"api_key\",", 200)]
    [InlineData("\"token_use\": \"apikey\",", 200)]
    [InlineData("\"token_type\": null, \"token_use\": null,", 200)]
    [InlineData("\"sub\": null, \"client_id\": \"a\",", 200)]
    [InlineData("\"typ\": \"api_key\",", 200)]
    [InlineData("\"token_usage\": \"refresh_token\",", 401)]
    [InlineData("\"typ\": \"Refresh\",", 401)]
    [InlineData("\"token_use\": \"refresh_token\",", 401)]
    [InlineData("\"token_use\": \"id\",", 401)]
    [InlineData("\"token_type\": \"DPoP\",", 401)]
    [InlineData("\"token_type\": \"refresh_token\",", 401)]
    [InlineData("\"token_type\": 7,", 401)]
    public async Task S26_no_other_kind_of_token_is_an_API_key(string kind, int status)
    {
        var gateway = await StartAsync();
        _world.Issuer.AnswerIntrospection = async (context, _, cancellation) =>
        {
            var subject = kind.Contains("sub", StringComparison.Ordinal) ? "" : "\"sub\": \"a\",";
            await AnswerAsync(context, $$"""{ "active": true, {{kind}} {{subject}} "organizations": ["o-acme"] }""", cancellation);
            return true;
        };

        Assert.Equal(status, (await gateway.SendAsync(Acme, change: ApiKeys.With("an-opaque-key"))).Status);
    }

    [Fact]
    public async Task Many_requests_with_one_token_make_one_call()
    {
        var gateway = await StartAsync();
        var token = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } });
        var mayAnswer = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        _world.Issuer.AnswerIntrospection = async (_, _, cancellation) =>
        {
            asked.TrySetResult();
            await mayAnswer.Task.WaitAsync(cancellation);
            return false;
        };

        var all = Enumerable.Range(0, 200).Select(_ => gateway.SendAsync(Acme, token)).ToList();
        await asked.Task.WaitAsync(Eventually.Limit);
        mayAnswer.SetResult();

        Assert.All(await Task.WhenAll(all), static answer => Assert.Equal(200, answer.Status));
        Assert.Equal(1, _world.Issuer.Introspections);
    }

    [Fact]
    public async Task A_revoked_token_stops_within_CacheFor_and_an_inactive_one_is_asked_about_again_after_5_s()
    {
        var gateway = await StartAsync();
        var token = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" }, Expires = null });
        Assert.Equal(200, (await gateway.SendAsync(Acme, token)).Status);

        _world.Issuer.Opaque.TryRemove(token, out var answer);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal(200, (await gateway.SendAsync(Acme, token)).Status);
        _time.Advance(TimeSpan.FromSeconds(2));
        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Acme, token), tokenSent: true);

        _world.Issuer.Opaque[token] = answer!;
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(401, (await gateway.SendAsync(Acme, token)).Status);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(200, (await gateway.SendAsync(Acme, token)).Status);
        Assert.Equal(3, _world.Issuer.Introspections);
    }

    [Fact]
    public async Task An_answer_is_not_used_beyond_its_exp()
    {
        var gateway = await StartAsync();
        // The issuer counts by the system's clock.
        _time.SetUtcNow(DateTimeOffset.UtcNow);
        var token = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" }, Expires = TimeSpan.FromSeconds(10) });
        Assert.Equal(200, (await gateway.SendAsync(Acme, token)).Status);

        // A response is cached for 30 s.
        _time.Advance(TimeSpan.FromSeconds(25));

        Assert.Equal(401, (await gateway.SendAsync(Acme, token)).Status);
    }

    [Fact]
    public async Task A_token_never_becomes_another_caller()
    {
        var gateway = await StartAsync();
        var asked = 0;
        _world.Issuer.AnswerIntrospection = async (context, token, cancellation) =>
        {
            await context.Response.WriteAsJsonAsync(
                new JsonObject { ["active"] = true, ["sub"] = $"{token}-{asked++}", ["organizations"] = new JsonArray("o-acme") }, cancellation);
            return true;
        };

        var first = await gateway.SendAsync(Acme, "lied-about");
        Assert.Contains("lied-about-0", first.Body, StringComparison.Ordinal);
        for (var round = 0; round < 3; round++)
        {
            _time.Advance(TimeSpan.FromSeconds(31));
            Assert.Equal(401, (await gateway.SendAsync(Acme, "lied-about")).Status);
        }
    }

    [Fact]
    public async Task Tokens_that_are_asked_about_at_once_get_their_own_callers()
    {
        var gateway = await StartAsync();
        var tokens = Enumerable.Range(0, 60).Select(number => $"caller-{number}")
            .Select(subject => (Subject: subject, Token: _world.Issuer.IssueOpaque(new() { Subject = subject, Organizations = new[] { "o-acme" } })))
            .ToList();

        var answers = await Task.WhenAll(tokens.Select(async one => (one.Subject, Answer: await gateway.SendAsync(Acme, one.Token))));

        Assert.All(answers, static one =>
            Assert.Equal(one.Subject, one.Answer.Json.GetProperty("headers").GetProperty("X-Gateway-Subject")[0].GetString()));
    }

    [Fact]
    public async Task An_endpoint_that_hangs_costs_new_opaque_tokens_alone()
    {
        var gateway = await StartAsync();
        var (known, jwt) = (_world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } }), _world.Token("o-acme"));
        Assert.Equal(200, (await gateway.SendAsync(Acme, known)).Status);
        _world.Issuer.AnswerIntrospection = async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return true;
        };

        // Time stands still, so a request that waited for the endpoint would wait for ever.
        var asked = _world.Issuer.Introspections;
        var waiting = Enumerable.Range(0, 5).Select(number => gateway.SendAsync(Acme, $"new-{number}")).ToList();
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections == asked + 5);
        var times = new List<double>();
        for (var round = 0; round < 50; round++)
        {
            var begun = Stopwatch.GetTimestamp();
            Assert.Equal(200, (await gateway.SendAsync(Acme, jwt)).Status);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        Assert.Equal(200, (await gateway.SendAsync(Acme, known)).Status);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.All(await Task.WhenAll(waiting), static answer => Assert.Equal(503, answer.Status));

        // After five failures in a row the gateway asks about a token of its own. If that fails, too, others are refused without a call, and without a wait.
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections == asked + 6);
        _time.Advance(TimeSpan.FromSeconds(2));
        await gateway.Log.WaitForAsync(LogLevel.Error, "The introspection endpoint");
        var before = _world.Issuer.Introspections;
        for (var round = 0; round < 20; round++) Assert.Equal(503, (await gateway.SendAsync(Acme, $"later-{round}")).Status);
        Assert.Equal(before, _world.Issuer.Introspections);
        Assert.Equal(200, (await gateway.SendAsync(Acme, known)).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "The introspection endpoint"));
        var ready = await _world.Client.SendAsync(
            gateway.ManagementUrl + "/health/ready", change: static request => request.Headers.Accept.ParseAdd("application/json"));
        Assert.Equal("Degraded", ready.Json.GetProperty("checks").GetProperty("introspection").GetProperty("status").GetString());
        output.WriteLine($"callers with a JSON Web Token: longest of 50 took {times.Max():F1} ms while the endpoint hung");

        _world.Issuer.AnswerIntrospection = null;
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.Equal(200, (await gateway.SendAsync(Acme, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } }))).Status);
        await gateway.Log.WaitForAsync(LogLevel.Information, "The introspection endpoint can be used again");
    }

    [Fact]
    public async Task Tokens_that_the_endpoint_fails_on_are_no_outage_for_others()
    {
        var gateway = await StartAsync("""{ "Timeout": "00:00:10" }""");
        _world.Issuer.AnswerIntrospection = (context, token, _) =>
        {
            if (!token.StartsWith("poison", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = (int)HttpStatusCode.InternalServerError;
            return Task.FromResult(true);
        };

        for (var round = 0; round < 5; round++)
        {
            for (var number = 0; number < 10; number++) Assert.Equal(503, (await gateway.SendAsync(Acme, $"poison-{round}-{number}")).Status);
            Assert.Equal(200, (await gateway.SendAsync(Acme, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } }))).Status);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(0, gateway.Log.Count(LogLevel.Error, "The introspection endpoint"));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(500)]
    public async Task An_outage_ends_even_if_the_endpoint_fails_for_tokens_that_it_does_not_know(int status)
    {
        var gateway = await StartAsync();
        var known = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } });
        _world.Issuer.AnswerIntrospection = (context, token, _) =>
        {
            context.Response.StatusCode = _world.Issuer.Opaque.ContainsKey(token) ? 200 : status;
            return Task.FromResult(context.Response.StatusCode != 200);
        };
        for (var number = 0; number < 5; number++) Assert.Equal(503, (await gateway.SendAsync(Acme, $"junk-{number}")).Status);
        await gateway.Log.WaitForAsync(LogLevel.Error, "The introspection endpoint");

        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(200, (await gateway.SendAsync(Acme, known)).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "The introspection endpoint can be used again"));
    }

    [Fact]
    public async Task A_key_is_no_bearer_token_and_a_bearer_token_is_no_key()
    {
        var gateway = await StartAsync("""{ "Accepts": ["ApiKey"] }""");
        var key = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } });
        Assert.Equal(200, (await gateway.SendAsync(Acme, change: ApiKeys.With(key))).Status);
        Assert.Equal(401, (await gateway.SendAsync(Acme, key)).Status);

        // A JSON Web Token is judged by its issuer's scheme or not at all, whatever the endpoint says of it.
        var foreign = _world.Issuer.Issue(new() { Issuer = "https://other.example", Audiences = ["api://other"], Subject = "m", RawPayload = "{}" });
        _world.Issuer.Opaque[foreign] = JsonNode.Parse("""{ "active": true, "sub": "m", "organizations": ["o-acme"] }""")!.AsObject();
        Assert.True(foreign.Length <= 512);
        var asked = _world.Issuer.Introspections;
        Assert.Equal(401, (await gateway.SendAsync(Acme, change: ApiKeys.With(foreign))).Status);
        Assert.Equal(asked, _world.Issuer.Introspections);
    }

    [Fact]
    public async Task An_anonymous_route_does_not_wait_for_the_endpoint()
    {
        var gateway = await StartAsync();
        _world.Issuer.AnswerIntrospection = static async (_, _, cancellation) =>
        {
            await Task.Delay(Timeout.Infinite, cancellation);
            return true;
        };

        Assert.Equal(200, (await gateway.SendAsync("/open/x", "an-opaque-token")).Status);
        Assert.Equal(0, _world.Issuer.Introspections);
    }

    [Fact]
    public async Task A_stream_ends_when_another_request_finds_its_token_revoked()
    {
        var gateway = await StartAsync();
        var token = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" }, Expires = null });
        using var request = new HttpRequestMessage(HttpMethod.Get, gateway.Url + "/organizations/o-acme/events");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        using var patience = new CancellationTokenSource(Eventually.Limit);
        using var stream = await _world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        using var events = new StreamReader(await stream.Content.ReadAsStreamAsync(patience.Token));
        Assert.NotNull(await events.ReadLineAsync(patience.Token));

        _world.Issuer.Opaque.TryRemove(token, out _);
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(401, (await gateway.SendAsync(Acme, token)).Status);
        _time.Advance(TimeSpan.FromSeconds(1));

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await events.ReadLineAsync(patience.Token) is not null) { }
        });
    }

    [Fact]
    public async Task What_is_not_accepted_is_not_sent_there()
    {
        var gateway = await StartAsync("""{ "Accepts": ["ApiKey"] }""");
        var token = _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } });

        Assert.Equal(401, (await gateway.SendAsync(Acme, token)).Status);
        Assert.Equal(401, (await gateway.SendAsync(Acme, _world.Issuer.Issue(new() { Issuer = "https://unknown.example" }))).Status);
        Assert.Equal(401, (await gateway.SendAsync(Acme, change: ApiKeys.With(new string('k', 513)))).Status);
        Assert.Equal(401, (await gateway.SendAsync(Acme, change: ApiKeys.With(ApiKeys.NewKey()[..^1] + "!"))).Status);
        Assert.Equal(0, _world.Issuer.Introspections);
        Assert.Equal(200, (await gateway.SendAsync(Acme, change: ApiKeys.With(token))).Status);
    }

    [Fact]
    public async Task A_bearer_token_may_be_as_long_as_a_key_and_begin_like_one()
    {
        var gateway = await StartAsync();
        _world.Issuer.AnswerIntrospection = static async (context, _, cancellation) =>
        {
            await AnswerAsync(context, """{ "active": true, "sub": "a", "organizations": ["o-acme"] }""", cancellation);
            return true;
        };

        foreach (var token in (string[])[new('t', 512), "igw_of-another-make"]) Assert.Equal(200, (await gateway.SendAsync(Acme, token)).Status);
        Assert.Equal(2, _world.Issuer.Introspections);
        Assert.Equal(401, (await gateway.SendAsync(Acme, new string('t', 513))).Status);
        Assert.Equal(2, _world.Issuer.Introspections);
    }

    [Fact]
    public async Task A_new_secret_is_used_without_a_restart()
    {
        var gateway = await StartAsync();
        _secret.Write("not-the-secret");
        Assert.Equal(503, (await gateway.SendAsync(Acme, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } }))).Status);

        // Some editors put a byte order mark before it.
        _secret.Write("\ufeff" + _world.Issuer.IntrospectionSecret + "\r\n");

        Assert.Equal(200, (await gateway.SendAsync(Acme, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } }))).Status);
    }

    [Fact]
    public async Task Refused_opaque_tokens_count_as_failed_authentications()
    {
        var gateway = await StartAsync(limit: 5);
        for (var round = 0; round < 5; round++) Assert.Equal(401, (await gateway.SendAsync(Acme, $"junk-{round}")).Status);

        ErrorResponseAssert.Matches(429, "TooManyRequests", await gateway.SendAsync(Acme, "junk-6"));
        Assert.Equal(5, _world.Issuer.Introspections);
    }

    private Task<RunningGateway> StartAsync(string more = "{}", int limit = 1000) => _world.StartGatewayAsync(settings => settings.WithoutRedis()
        .AddIntrospection(_world.Issuer, _secret, more)
        .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
        .Set("Edge:FailedAuthentications:PermitLimit", $"{limit}"));

    private static async Task AnswerAsync(HttpContext context, string answer, CancellationToken cancellation)
    {
        const string Good = """ "active": true, "sub": "a", "organizations": ["o-acme"] """;
        switch (answer)
        {
            case "status 500" or "status 401":
                context.Response.StatusCode = int.Parse(answer[^3..], System.Globalization.CultureInfo.InvariantCulture);
                answer = $"{{{Good}}}";
                break;
            case "redirect":
                context.Response.Redirect("/introspect?again");
                return;
            case "drop":
                context.Abort();
                return;
            case "1 MB":
                answer = $$"""{{{Good}}, "more": "{{new string('x', 1024 * 1024)}}" }""";
                break;
            case "deep":
                answer = $$"""{{{Good}}, "more": {{new string('[', 1000)}}{{new string(']', 1000)}} }""";
                break;
        }

        await context.Response.WriteAsync(answer, cancellation);
    }
}
