using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace IotClient;

/// <summary>Fetches an organization's credentials from the gateway, and keeps them until a refresh is due.</summary>
internal sealed class CredentialSource(Uri gateway, string organization, string tokenFile) : IDisposable
{
    private static readonly TimeSpan s_mostAhead = TimeSpan.FromMinutes(10);

    // A member that is missing is an exception here, not later.
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
        // A proxy has no business between this machine and itself.
        UseProxy = !gateway.IsLoopback,
    })
    {
        Timeout = TimeSpan.FromSeconds(15),
    };
    private readonly Uri _address = new(gateway, $"/organizations/{Uri.EscapeDataString(organization)}/iot-endpoint-and-credentials");
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private EndpointAndCredentials? _current;
    private DateTimeOffset _refreshAt;
    private long _retryAt;
    private int _failures;

    /// <summary>How far the gateway's clock is ahead of this machine's, which may be minutes off. AWS refuses signatures that are.</summary>
    public TimeSpan ClockOffset { get; private set; }

    /// <summary>The time by the gateway's clock.</summary>
    public DateTimeOffset Now => DateTimeOffset.UtcNow + ClockOffset;

    /// <summary>At random up to a limit that doubles with each failure, so that clients which failed together do not return together.</summary>
    public static TimeSpan Backoff(int failures) => Random.Shared.NextDouble() * TimeSpan.FromSeconds(Math.Min(60, Math.Pow(2, failures)));

    /// <summary>Makes the next <see cref="GetAsync"/> fetch, because AWS has refused what is at hand.</summary>
    public void Expire() => _refreshAt = default;

    /// <summary>Returns valid credentials: those at hand until a refresh is due, and while a refresh fails. Without any, it waits.</summary>
    /// <exception cref="StoppedException">There will be none until someone changes something.</exception>
    public async Task<EndpointAndCredentials> GetAsync(CancellationToken cancellation)
    {
        await _oneAtATime.WaitAsync(cancellation);
        try
        {
            while (true)
            {
                // Waits are measured by a clock that nobody sets, expiry by one that goes on while the machine sleeps.
                if (Now >= _refreshAt && Environment.TickCount64 >= _retryAt) await FetchAsync(cancellation);
                if (_current is { } current && Now < current.Credentials.Expiration) return current;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(0, _retryAt - Environment.TickCount64)), cancellation);
            }
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task FetchAsync(CancellationToken cancellation)
    {
        var token = await ReadTokenAsync(cancellation);
        if (token.Length == 0)
        {
            Retry($"{tokenFile} is empty", TimeSpan.Zero);
            return;
        }

        // The error of a header that HTTP cannot carry would quote the token.
        if (token.AsSpan().ContainsAnyExceptInRange('!', '~'))
            throw new StoppedException($"{tokenFile} holds no token: a token is one line of printable ASCII");
        using var request = new HttpRequestMessage(HttpMethod.Get, _address);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        try
        {
            using var response = await _client.SendAsync(request, cancellation);
            // Whatever the clocks say, one request a second at most.
            _retryAt = Environment.TickCount64 + 1000;
            if (response.IsSuccessStatusCode) Keep(await response.Content.ReadFromJsonAsync<CredentialResponse>(s_json, cancellation), response.Headers.Date);
            else await RefusedAsync(response, cancellation);
        }
        // The connection failed, took too long, or led to what is not the gateway, such as a hotel's page.
        catch (Exception e) when (e is HttpRequestException or JsonException || IsTimeout(e))
        {
            Retry("the gateway cannot be reached", TimeSpan.Zero);
        }

        bool IsTimeout(Exception e) => e is OperationCanceledException && !cancellation.IsCancellationRequested;
    }

    // Each time, because whoever signs in for this program replaces the token before it expires.
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

    private void Keep(CredentialResponse? response, DateTimeOffset? date)
    {
        var fetched = response?.Data ?? throw new JsonException();
        // Not from an error, which may be another server's, with a clock of its own.
        if (date is { } now) ClockOffset = now - DateTimeOffset.UtcNow;
        var expiration = fetched.Credentials.Expiration;
        var half = (expiration - Now) / 2;
        _refreshAt = expiration - ((half < s_mostAhead ? half : s_mostAhead) * (0.5 + (Random.Shared.NextDouble() / 2)));
        _failures = 0;
        _current = fetched;
        Console.WriteLine($"credentials until {expiration:O}");
    }

    private async Task RefusedAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        ErrorResponse? error = null;
        try
        {
            error = await response.Content.ReadFromJsonAsync<ErrorResponse>(s_json, cancellation);
        }
        catch (JsonException)
        {
            // A load balancer's error is no JSON.
        }

        var reason = $"{(int)response.StatusCode} {error?.Error ?? "without a reason"}";
        switch (response.StatusCode)
        {
            case HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError:
                Retry(reason, response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero);
                break;
            case HttpStatusCode.Unauthorized:
                throw new StoppedException($"{reason}: sign in again, and write the new token to {tokenFile}");
            case HttpStatusCode.Forbidden:
                throw new StoppedException($"{reason}: this token's user may not connect to {organization}");
            default:
                throw new StoppedException($"{reason}: {error?.Message}");
        }
    }

    private void Retry(string reason, TimeSpan retryAfter)
    {
        var wait = retryAfter + Backoff(_failures++);
        _retryAt = Environment.TickCount64 + (long)wait.TotalMilliseconds;
        Console.WriteLine($"waiting {wait.TotalSeconds:F1} s: {reason}");
    }
}
