using Gateway.Tests.Forwarding;
using Microsoft.AspNetCore.Http;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>S12: whatever is still sent or received ends when the caller's token expires. The clock is the test's.</summary>
public sealed class TokenDeadlineTests : IAsyncLifetime
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly SettableClock _clock = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly TaskCompletionSource _mayRespond = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WrittenService _service = null!;
    private World _world = null!;
    private RunningGateway _gateway = null!;

    private static CancellationToken Patience => new CancellationTokenSource(s_patience).Token;

    public async ValueTask InitializeAsync()
    {
        _service = await WrittenService.StartAsync(RespondAsync);
        _world = await World.StartAsync(_clock);
        _gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("ReverseProxy:Clusters:written", $$"""{ "Destinations": { "a": { "Address": "{{_service.Url}}" } } }""")
            .Route("written", "/written/{**rest}", """{ "ClusterId": "written" }""")
            .Route("unnamed", "/unnamed/{**rest}", """{ "ClusterId": "written", "AuthorizationPolicy": "Anonymous" }"""));
    }

    public async ValueTask DisposeAsync()
    {
        _mayRespond.TrySetResult();
        await _world.DisposeAsync();
        await _service.DisposeAsync();
        _arrived.Dispose();
    }

    [Fact]
    public async Task S12_a_response_of_any_kind_ends_with_its_token()
    {
        foreach (var type in (string[])
            [
                "application/x-ndjson", "application/json-seq", "multipart/x-mixed-replace;boundary=b", "application/connect+json", "application/octet-stream",
                "application/json", "text/event-stream", "application/grpc-web", "",
            ])
        {
            foreach (var length in (string[])["", "1000000000"])
            {
                var (token, expires) = Token();
                using var response = await GetAsync($"/written/stream?type={Uri.EscapeDataString(type)}&length={length}", token);
                await using var body = await response.Content.ReadAsStreamAsync(Patience);
                await ReadAsync(body);
                _clock.SetUtcNow(expires.AddSeconds(-5));
                for (var i = 0; i < 5; i++) await ReadAsync(body);

                _clock.SetUtcNow(expires.AddSeconds(5));

                await EndsAsync(body, $"{type} {length}");
            }
        }
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData("application/connect+proto")]
    [InlineData("application/grpc")]
    public async Task S12_an_upload_ends_with_its_token(string type)
    {
        var (token, expires) = Token();
        var upload = new PushedContent(type);
        // More than is kept back on the way.
        upload.Push(new byte[64 * 1024]);
        var response = SendAsync(HttpMethod.Post, "/written/read", token, upload);
        await ArrivedAsync();
        _clock.SetUtcNow(expires.AddSeconds(-5));
        upload.Push(new byte[64 * 1024]);
        Assert.False(response.IsCompleted);

        _clock.SetUtcNow(expires.AddSeconds(5));

        // A client learns of it by what it sends next.
        await Eventually.IsTrueAsync(() =>
        {
            upload.Push(0);
            return response.IsCompleted;
        });
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response);
        upload.End();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("all of it")]
    public async Task S12_a_request_that_arrived_whole_has_its_response_and_that_has_seconds(string? content)
    {
        var (token, expires) = Token();
        var waiting = SendAsync(HttpMethod.Post, "/written/wait", token, content is null ? null : new StringContent(content));
        var endless = SendAsync(HttpMethod.Post, "/written/wait-and-stream", token, content is null ? null : new StringContent(content));
        await ArrivedAsync();
        await ArrivedAsync();

        _clock.SetUtcNow(expires.AddSeconds(5));
        _clock.Advance(TimeSpan.FromMinutes(1));
        _mayRespond.SetResult();

        using var whole = await waiting;
        Assert.Equal("whole", await whole.Content.ReadAsStringAsync(Patience));
        using var begun = await endless;
        await using var body = await begun.Content.ReadAsStreamAsync(Patience);
        await ReadAsync(body);
        _clock.Advance(TimeSpan.FromSeconds(1));
        await ReadAsync(body);
        for (var i = 0; i < 6; i++) _clock.Advance(TimeSpan.FromSeconds(1));
        await EndsAsync(body, "a response that began late");
    }

    [Fact]
    public async Task S12_a_deadline_is_its_own_requests_and_not_the_next_ones_on_the_connection()
    {
        var (first, expires) = Token();
        for (var i = 0; i < 3; i++) (await SendAsync(HttpMethod.Get, "/written/whole", first)).Dispose();
        _clock.SetUtcNow(expires.AddSeconds(-30));
        var (second, _) = Token();
        using var response = await GetAsync("/written/stream?type=application/x-ndjson&length=", second);
        await using var body = await response.Content.ReadAsStreamAsync(Patience);
        await ReadAsync(body);

        _clock.SetUtcNow(expires.AddSeconds(30));

        for (var i = 0; i < 5; i++) await ReadAsync(body);
    }

    [Fact]
    public async Task S12_a_token_that_is_accepted_within_the_clock_skew_has_seconds()
    {
        // To the issuer and to validation, whose clock is the system's, both are good for minutes.
        _clock.Advance(TimeSpan.FromMinutes(10));
        var token = _world.Issuer.Issue(new TokenRequest { Expires = TimeSpan.FromMinutes(5) });

        Assert.Equal("whole", await (await SendAsync(HttpMethod.Get, "/written/whole", token)).Content.ReadAsStringAsync(Patience));
        using var response = await GetAsync("/written/stream?type=application/x-ndjson&length=", token);
        await using var body = await response.Content.ReadAsStreamAsync(Patience);
        await ReadAsync(body);
        _clock.Advance(TimeSpan.FromSeconds(6));
        await EndsAsync(body, "a stream whose token had expired");
    }

    [Fact]
    public async Task S12_a_stream_ends_as_well_when_the_clock_is_set_beyond_the_end_of_its_token()
    {
        var (token, expires) = Token();
        using var response = await GetAsync("/written/stream?type=text/event-stream&length=", token);
        await using var body = await response.Content.ReadAsStreamAsync(Patience);
        await ReadAsync(body);

        _clock.Set = expires - _clock.GetUtcNow() + TimeSpan.FromSeconds(1);
        _clock.Advance(TimeSpan.FromSeconds(30));

        await EndsAsync(body, "set");
    }

    [Fact]
    public async Task S12_without_a_token_nothing_ends()
    {
        using var response = await GetAsync("/unnamed/stream?type=application/x-ndjson&length=", null);
        await using var body = await response.Content.ReadAsStreamAsync(Patience);

        _clock.Advance(TimeSpan.FromHours(1));

        for (var i = 0; i < 5; i++) await ReadAsync(body);
    }

    // By the test's clock, which may be far ahead of the system's. Expiry is in whole seconds.
    private (string Token, DateTimeOffset Expires) Token()
    {
        var expires = _clock.GetUtcNow().AddMinutes(10);
        return (_world.Issuer.Issue(new TokenRequest { Expires = expires - DateTimeOffset.UtcNow }), expires);
    }

    private Task<HttpResponseMessage> GetAsync(string path, string? token) => SendAsync(HttpMethod.Get, path, token);

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? token, HttpContent? content = null)
    {
        using var request = new HttpRequestMessage(method, _gateway.Url + path) { Content = content };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return await _world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
    }

    private async Task ArrivedAsync() => Assert.True(await _arrived.WaitAsync(s_patience), "nothing arrived");

    private static async Task ReadAsync(Stream body) => Assert.Equal(1, await body.ReadAsync(new byte[1], Patience));

    private static async Task EndsAsync(Stream body, string what)
    {
        var patience = Patience;
        var end = await Record.ExceptionAsync(async () =>
        {
            while (await body.ReadAsync(new byte[4096], patience) > 0) { }
        });
        Assert.True(end is IOException or HttpRequestException, $"{what}: {end?.GetType().Name ?? "ended as if it were whole"}");
    }

    private async Task RespondAsync(HttpContext context)
    {
        var (path, response, aborted) = (context.Request.Path.Value!, context.Response, context.RequestAborted);
        if (path.EndsWith("/read", StringComparison.Ordinal))
        {
            await context.Request.Body.ReadExactlyAsync(new byte[1], aborted);
            _arrived.Release();
        }

        await context.Request.Body.CopyToAsync(Stream.Null, aborted);
        if (path.Contains("/wait", StringComparison.Ordinal))
        {
            _arrived.Release();
            await _mayRespond.Task;
        }

        if (!path.EndsWith("stream", StringComparison.Ordinal))
        {
            await response.WriteAsync("whole", aborted);
            return;
        }

        if (context.Request.Query["type"].ToString() is { Length: > 0 } type) response.ContentType = type;
        if (context.Request.Query["length"].ToString() is { Length: > 0 } length)
            response.ContentLength = long.Parse(length, System.Globalization.CultureInfo.InvariantCulture);
        try
        {
            while (true)
            {
                await response.WriteAsync("line\n", aborted);
                await response.Body.FlushAsync(aborted);
                await Task.Delay(5, aborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway has left.
        }
    }
}
