using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>One client that sends unknown tokens, on which the introspection endpoint fails, gets nobody refused whose token the endpoint knows.</summary>
public sealed class IntrospectionFloodTests : IAsyncLifetime
{
    private const string Acme = "/organizations/o-acme/x";
    private const string Event = "The introspection endpoint";
    private const string Key = "a-key-of-another-make";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly SecretFile _secret = new();
    private World _world = null!;
    private int _junk;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(_time);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("hang")]
    [InlineData("500")]
    [InlineData("429")]
    [InlineData("drop")]
    public async Task An_endpoint_that_fails_for_unknown_tokens_alone_still_judges_the_ones_that_were_good(string failure)
    {
        var gateway = await StartAsync();
        var good = await MakeGoodAsync(gateway, 3);
        _world.Issuer.AnswerIntrospection = (context, token, cancellation) =>
            _world.Issuer.Opaque.ContainsKey(token) ? Task.FromResult(false) : FailAsync(context, failure, cancellation);
        await FloodAsync(gateway, failure);
        await gateway.Log.WaitForAsync(LogLevel.Error, Event);

        // Time stands still, and the flood has had the outage's only call.
        Assert.Equal(200, await StatusAsync(gateway, good[0]));
        await gateway.Log.WaitForAsync(LogLevel.Information, Event);

        // The endpoint works for tokens that were good, so there is no second outage. New tokens that it knows are judged as well.
        await FloodAsync(gateway, failure);
        Assert.Equal(200, await StatusAsync(gateway, good[1]));
        Assert.Equal(200, await StatusAsync(gateway, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } })));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, Event));

        // Without any such response for a while, an outage begins, and the first of them ends it.
        _time.Advance(TimeSpan.FromSeconds(11));
        await FloodAsync(gateway, failure);
        await Eventually.IsTrueAsync(() => gateway.Log.Count(LogLevel.Error, Event) == 2);
        Assert.Equal(200, await StatusAsync(gateway, good[2]));
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("500")]
    [InlineData("429")]
    [InlineData("html")]
    public async Task An_outage_holds_for_tokens_that_were_good_once_the_endpoint_fails_for_one_of_them(string failure)
    {
        var gateway = await StartAsync();
        var good = await MakeGoodAsync(gateway, 4);
        _world.Issuer.AnswerIntrospection = (context, _, cancellation) => FailAsync(context, failure, cancellation);
        await FloodAsync(gateway, failure);
        await gateway.Log.WaitForAsync(LogLevel.Error, Event);

        var asked = _world.Issuer.Introspections;
        var first = StatusAsync(gateway, good[0]);
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections >= asked + 1);
        if (failure == "hang") _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(503, await first);
        // A failure in an outage has the gateway ask about a token of its own.
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections == asked + 2);
        Assert.Equal(503, await StatusAsync(gateway, good[1]));
        Assert.Equal(503, await StatusAsync(gateway, good[2]));
        Assert.Equal(asked + 2, _world.Issuer.Introspections);

        // An unknown token may have the pause's call. Tokens that were good have another.
        _world.Issuer.AnswerIntrospection = (context, token, cancellation) =>
            _world.Issuer.Opaque.ContainsKey(token) ? Task.FromResult(false) : FailAsync(context, failure, cancellation);
        _time.Advance(TimeSpan.FromSeconds(9));
        var junk = Enumerable.Range(0, 3).Select(_ => StatusAsync(gateway, NewJunk())).ToList();
        if (failure != "hang") await Task.WhenAll(junk);
        Assert.Equal(200, await StatusAsync(gateway, good[3]));

        await Eventually.IsTrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(2));
            return junk.All(static one => one.IsCompleted);
        });
        Assert.All(await Task.WhenAll(junk), static status => Assert.Equal(503, status));
    }

    [Theory]
    [InlineData("hang")]
    [InlineData("500")]
    [InlineData("429")]
    [InlineData("html")]
    public async Task A_client_on_whose_tokens_the_endpoint_fails_has_64_calls(string failure)
    {
        var gateway = await StartAsync();
        var good = await MakeGoodAsync(gateway, 1);
        _world.Issuer.AnswerIntrospection = (context, token, cancellation) =>
            _world.Issuer.Opaque.ContainsKey(token) ? Task.FromResult(false) : FailAsync(context, failure, cancellation);
        Assert.Equal(200, await StatusAsync(gateway, good[0]));
        var asked = _world.Issuer.Introspections;

        var flood = Enumerable.Range(0, 200).Select(_ => StatusAsync(gateway, NewJunk(), "192.0.2.66")).ToList();
        await Eventually.IsTrueAsync(() => flood.Count(static one => one.IsCompleted) >= 136 && _world.Issuer.Introspections >= asked + 64);

        Assert.Equal(200, await StatusAsync(gateway, _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" } })));
        if (failure == "hang") _time.Advance(TimeSpan.FromSeconds(2));
        Assert.All(await Task.WhenAll(flood), static status => Assert.Equal(503, status));
        // Beside the client's calls, and the one for another client, the gateway asks about tokens of its own: at most one for each failure.
        Assert.InRange(_world.Issuer.Introspections, asked + 65, asked + 65 + 64);
        Assert.Equal(0, gateway.Log.Count(LogLevel.Error, Event));

        _world.Issuer.AnswerIntrospection = null;
        _time.Advance(TimeSpan.FromSeconds(2));
        await Eventually.IsTrueAsync(async () => await StatusAsync(gateway, NewJunk(), "192.0.2.66") == 401);
    }

    [Theory]
    [InlineData("a JSON Web Token", 200)]
    [InlineData("a refused JSON Web Token", 401)]
    [InlineData("a configured key", 200)]
    [InlineData("a key of no possible text", 401)]
    [InlineData("a bearer token that is too long", 401)]
    public async Task Nothing_that_is_judged_here_waits_for_introspections_of_the_same_address(string kind, int status)
    {
        var gateway = await StartAsync(limit: 6);
        for (var number = 0; number < 3; number++) Assert.Equal(401, await StatusAsync(gateway, NewJunk()));
        _world.Issuer.AnswerIntrospection = static (context, _, cancellation) => FailAsync(context, "hang", cancellation);
        var asked = _world.Issuer.Introspections;
        var hanging = Enumerable.Range(0, 5).Select(_ => StatusAsync(gateway, NewJunk())).ToList();
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections == asked + 3);

        // Time stands still: whatever waits for one of these waits for ever.
        var answer = kind switch
        {
            "a JSON Web Token" => StatusAsync(gateway, _world.Token("o-acme")),
            "a refused JSON Web Token" => StatusAsync(gateway, _world.Issuer.Issue(new() { Issuer = "https://unknown.example" })),
            "a bearer token that is too long" => StatusAsync(gateway, new string('t', 513)),
            "a configured key" => StatusAsync(gateway, null, more: ApiKeys.With(Key)),
            _ => StatusAsync(gateway, null, more: ApiKeys.With("a key")),
        };
        Assert.Equal(status, await answer.WaitAsync(Eventually.Limit));

        Assert.Equal(asked + 3, _world.Issuer.Introspections);
        Assert.All(hanging, static one => Assert.False(one.IsCompleted));
        _world.Issuer.AnswerIntrospection = null;
        _time.Advance(TimeSpan.FromSeconds(2));
        await Task.WhenAll(hanging).WaitAsync(Eventually.Limit);
    }

    /// <summary>Tokens that the endpoint accepted, and that have to be asked about again.</summary>
    private async Task<string[]> MakeGoodAsync(RunningGateway gateway, int count)
    {
        var good = Enumerable.Range(0, count).Select(_ => _world.Issuer.IssueOpaque(new() { Organizations = new[] { "o-acme" }, Expires = null })).ToArray();
        foreach (var token in good) Assert.Equal(200, await StatusAsync(gateway, token));
        _time.Advance(TimeSpan.FromSeconds(31));
        return good;
    }

    /// <summary>Sends five unknown tokens. After so many failures in a row the gateway asks about a token of its own.</summary>
    private async Task FloodAsync(RunningGateway gateway, string failure)
    {
        var asked = _world.Issuer.Introspections;
        var flood = Enumerable.Range(0, 5).Select(_ => StatusAsync(gateway, NewJunk(), "192.0.2.66")).ToList();
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections >= asked + 5);
        if (failure == "hang") _time.Advance(TimeSpan.FromSeconds(2));
        Assert.All(await Task.WhenAll(flood), static status => Assert.Equal(503, status));
        await Eventually.IsTrueAsync(() => _world.Issuer.Introspections >= asked + 6);
        if (failure == "hang") _time.Advance(TimeSpan.FromSeconds(2));
    }

    private string NewJunk() => $"junk-{Interlocked.Increment(ref _junk)}";

    private static async Task<int> StatusAsync(
        RunningGateway gateway, string? token, string address = "192.0.2.1", Action<HttpRequestMessage>? more = null)
    {
        var response = await gateway.SendAsync(Acme, token, change: request =>
        {
            request.Headers.Add("X-Forwarded-For", address);
            more?.Invoke(request);
        });
        return response.Status;
    }

    private static async Task<bool> FailAsync(HttpContext context, string failure, CancellationToken cancellation)
    {
        if (failure == "hang") await Task.Delay(Timeout.Infinite, cancellation);
        else if (failure == "drop") context.Abort();
        else if (failure == "html") await context.Response.WriteAsync("<html>", cancellation);
        else context.Response.StatusCode = (int)Enum.Parse<HttpStatusCode>(failure);
        return true;
    }

    private Task<RunningGateway> StartAsync(int limit = 1000) => _world.StartGatewayAsync(settings => settings.WithoutRedis()
        .AddIntrospection(_world.Issuer, _secret)
        .AddKey("robot", Key, """{ "Organizations": ["o-acme"] }""")
        .Set("Edge:TrustedProxies", """["127.0.0.1"]""")
        .Set("Edge:FailedAuthentications:PermitLimit", $"{limit}"));
}
