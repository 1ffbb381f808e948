using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace IotClient;

/// <summary>Fetches an organization's credentials from the gateway, and keeps them until a refresh is due.</summary>
internal sealed class CredentialSource(Uri gateway, string organization, string tokenFile, TimeProvider time) : IDisposable
{
    // By more than this, two clocks do not drift apart in the life of a session.
    private static readonly TimeSpan s_mostDrift = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan s_mostAhead = TimeSpan.FromMinutes(10);

    // A longer one is a fault of the server, and more than a timer takes.
    private static readonly TimeSpan s_longestRetryAfter = TimeSpan.FromDays(1);

    // A member that is missing is an exception when the body is read, not later.
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    // The token goes to the gateway only, wherever a redirect leads.
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        UseProxy = !gateway.IsLoopback,
    })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };
    private readonly Uri _address = new(gateway, $"/organizations/{Uri.EscapeDataString(organization)}/iot-endpoint-and-credentials");
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private volatile Task _fetch = Task.CompletedTask;
    private volatile Held _held = new(null, time.GetUtcNow(), new(time), default);
    private Elapsed _sinceRetry = new(time);
    private TimeSpan _retryAfter;
    private int _failures;
    private (string Token, string Reason)? _refused;

    /// <summary>The time by the gateway's clock. This machine's own may be minutes off, or be set, and AWS refuses such signatures.</summary>
    public DateTimeOffset Now => _held.Now;

    private TimeSpan UntilRetry => _retryAfter - _sinceRetry.Steady;

    /// <summary>At random up to a limit that doubles with each failure, so that clients which failed together do not return together.</summary>
    public static TimeSpan Backoff(int failures) => Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, failures)));

    /// <summary>Makes the next <see cref="GetAsync"/> fetch, because AWS has refused what is at hand.</summary>
    public void Expire() => _held = _held with { RefreshAt = default };

    /// <summary>Whether <see cref="GetAsync"/> would return these credentials without a refresh.</summary>
    public bool IsCurrent(Credentials credentials) =>
        _held is { IsRefreshDue: false, Current: { } current } && ReferenceEquals(current.Credentials, credentials);

    /// <summary>
    /// Returns valid credentials: those at hand, also while a refresh is due, under way or failing. Without any, or if they are in doubt, it waits for the gateway.
    /// </summary>
    /// <exception cref="StoppedException">There will be none until someone changes something. Once stopped, it stays so.</exception>
    public async Task<EndpointAndCredentials> GetAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await FetchIfDueAsync(cancellation);
            if (!_held.IsCertain) await _fetch.WaitAsync(cancellation);
            if (_held is { IsValid: true, Current: { } current }) return current;
            if (UntilRetry is var wait && wait > TimeSpan.Zero) await Task.Delay(wait, time, cancellation);
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _oneAtATime.Dispose();
    }

    /// <summary>Begins to fetch, unless that is under way.</summary>
    private async Task FetchIfDueAsync(CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            if (!_held.IsRefreshDue || !_fetch.IsCompleted || UntilRetry > TimeSpan.Zero) return;
            var token = await ReadTokenAsync(cancellation);
            if (token.Length == 0)
            {
                Retry($"{tokenFile} is empty", TimeSpan.Zero);
                return;
            }

            // The same request gets the same response. Another token is another request.
            if (token == _refused?.Token) throw new StoppedException(_refused.Value.Reason);
            // The error of a header that HTTP cannot carry would quote the token.
            if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
                throw new StoppedException($"{tokenFile} holds no token: a token is one line of printable ASCII");
            _fetch = FetchAsync(token);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task FetchAsync(string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await _client.SendAsync(request);
            // Whatever the clocks say, one request a second at most.
            WaitFor(TimeSpan.FromSeconds(1));
            var body = await response.Content.ReadAsByteArrayAsync();
            if (response.IsSuccessStatusCode) Keep(response, Read<CredentialResponse>(body)?.Data);
            else TakeError(response, Read<ErrorResponse>(body), token);
        }
        // The connection failed or took too long.
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            Retry("the gateway cannot be reached", TimeSpan.Zero);
        }
    }

    // Each time, because the program that signs in for this one replaces the token before it expires.
    private async Task<string> ReadTokenAsync(CancellationToken cancellation)
    {
        try
        {
            return (await File.ReadAllTextAsync(tokenFile, cancellation)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StoppedException($"{tokenFile} cannot be read: {e.Message}");
        }
    }

    /// <summary>Reads a body; null if it is not the gateway's, such as a load balancer's error or a hotel's page.</summary>
    private static T? Read<T>(byte[] body)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(body, s_json);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Keep(HttpResponseMessage response, EndpointAndCredentials? fetched)
    {
        var now = response.Headers.Date ?? time.GetUtcNow();
        if (fetched is not { Credentials.Expiration: var expiration } || expiration <= now)
        {
            Retry($"{(int)response.StatusCode} without valid credentials", TimeSpan.Zero);
            return;
        }

        // The time is from no other response, which may be another server's, with a clock of its own.
        var half = (expiration - now) / 2;
        _held = new(fetched, now, new(time), expiration - ((half < s_mostAhead ? half : s_mostAhead) * (0.5 + (Random.Shared.NextDouble() / 2))));
        _failures = 0;
        Console.WriteLine($"credentials until {expiration:O}");
    }

    private void TakeError(HttpResponseMessage response, ErrorResponse? error, string token)
    {
        var reason = $"{(int)response.StatusCode} {error?.Error ?? "without a reason"}";
        if (response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
        {
            Retry(reason, response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero);
            return;
        }

        _refused = (token, response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => $"{reason}: sign in again, and write the new token to {tokenFile}",
            HttpStatusCode.Forbidden => $"{reason}: this token's user may not connect to {organization}",
            _ => error is null ? reason : $"{reason}: {error.Message}",
        });
        // The next look at the token stops.
        _held = _held with { Current = null, RefreshAt = default };
        WaitFor(TimeSpan.Zero);
    }

    private void Retry(string reason, TimeSpan retryAfter)
    {
        var wait = (retryAfter < s_longestRetryAfter ? retryAfter : s_longestRetryAfter) + Backoff(_failures++);
        WaitFor(wait);
        Console.WriteLine($"waiting {wait.TotalSeconds:F1} s: {reason}");
    }

    private void WaitFor(TimeSpan wait) => (_sinceRetry, _retryAfter) = (new(time), wait);

    /// <summary>
    /// What the gateway's last response with credentials said: they, the time, and when to refresh. It is read as one, because an SDK asks on other threads.
    /// </summary>
    private sealed record Held(EndpointAndCredentials? Current, DateTimeOffset Date, Elapsed SinceDate, DateTimeOffset RefreshAt)
    {
        public DateTimeOffset Now => Date + SinceDate.Time;

        public bool IsValid => Current is not null && Now < Current.Credentials.Expiration;

        /// <summary>Whether the credentials are valid, as far as anyone knows: AWS has not refused them, and the time is certain.</summary>
        public bool IsCertain => IsValid && RefreshAt != default && !SinceDate.IsUncertain;

        // If the time is uncertain, the gateway's response tells it again.
        public bool IsRefreshDue => Now >= RefreshAt || SinceDate.IsUncertain;
    }

    /// <summary>The time since a moment, by two clocks: one is set, the other may stand still while the machine sleeps.</summary>
    private sealed class Elapsed(TimeProvider time)
    {
        private readonly DateTimeOffset _wall = time.GetUtcNow();
        private readonly long _steady = time.GetTimestamp();

        /// <summary>The later one: it is right after sleep, and after the clock was set back.</summary>
        public TimeSpan Time => Wall > Steady ? Wall : Steady;

        /// <summary>By the clock that nobody sets.</summary>
        public TimeSpan Steady => time.GetElapsedTime(_steady);

        /// <summary>Whether the machine has slept, or its clock was set. Nobody can tell which.</summary>
        public bool IsUncertain => (Wall - Steady).Duration() > s_mostDrift;

        private TimeSpan Wall => time.GetUtcNow() - _wall;
    }
}
