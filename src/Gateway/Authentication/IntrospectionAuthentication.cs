using System.Security.Claims;
using Gateway.Configuration;
using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Gateway.Authentication;

/// <summary>
/// Authenticates callers by what the introspection endpoint says of their token or key. One call at a time is made for each, whatever the number of requests.
/// Responses are cached by the hash of what was asked about; none is used for longer than <c>CacheFor</c>, so that a revoked key stops. While the endpoint
/// fails, what is cached serves until then, and tokens that were not good before get 503 at once.
/// <para>
/// Whether the endpoint fails is never judged by unknown tokens alone, for which it may fail while it responds for all others. The gateway asks about a token
/// of its own, which the endpoint does not know either. So an outage does not begin while the endpoint responds for tokens that were good before, and such
/// tokens are asked about during an outage until it fails for one of them. An outage ends as soon as the endpoint responds.
/// </para>
/// </summary>
internal sealed partial class IntrospectionAuthentication : IDisposable
{
    /// <summary>The name of the scheme in policies, metrics and logs.</summary>
    public const string Scheme = "Introspection";

    public const string Malformed = "it is too long, or has characters that no token has";

    private const string BearerScheme = "Introspection:Bearer";
    private const int MostCalls = 1024;
    private const int MostCallsOfAClient = 64;
    private const int MaxEntries = 10_000;

    private static readonly TimeSpan s_refusedFor = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_unjudgedFor = TimeSpan.FromSeconds(1);

    // A response for a token that was good before proves for this long that the endpoint works.
    private static readonly TimeSpan s_provenFor = TimeSpan.FromSeconds(10);

    // A token that names another caller than at its last check is refused for this long after that check.
    private static readonly TimeSpan s_callerKeptFor = TimeSpan.FromMinutes(5);

    // The cache of validated tokens compares what a token was checked with. For responses of the endpoint, that is always this.
    private static readonly OpenIdConnectConfiguration s_endpoint = new();

    private static readonly AuthenticateResult s_malformed = Refused(Malformed);

    private readonly IntrospectionOptions _options;
    private readonly IntrospectionClient _client;
    private readonly ClaimReader _claims;
    private readonly ValidatedTokenCache _validated;
    private readonly AuthenticationThrottle _edge;
    private readonly SingleFlight _flights;
    private readonly GatewayMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly PeerHealth _health;
    private readonly MemoryCache _negativeCache;
    private readonly CallLimit _ofClients = new(MostCallsOfAClient);

    // Tokens that were good before have calls of their own, which others cannot use up.
    private readonly CallLimit _calls = new(MostCalls);
    private readonly Lock _lock = new();
    private GoodToken? _lastGood;

    public IntrospectionAuthentication(
        IntrospectionOptions options, IntrospectionClient client, ClaimReader claims, ValidatedTokenCache validated, AuthenticationThrottle edge,
        SingleFlight flights, GatewayMetrics metrics, TimeProvider time, ILogger<IntrospectionAuthentication> logger)
    {
        (_options, _client, _claims, _validated, _edge, _flights) = (options, client, claims, validated, edge, flights);
        (_metrics, _time, _logger) = (metrics, time, logger);
        _health = new PeerHealth(time);
        _negativeCache = new MemoryCache(new MemoryCacheOptions { SizeLimit = MaxEntries });
        metrics.ObserveIntrospection(() => Outage is not null);
    }

    /// <summary>Why the endpoint cannot be asked; null while it can.</summary>
    public PeerOutage? Outage => _health.Outage;

    /// <summary>Whether tokens of a kind are introspected.</summary>
    public bool Takes(IntrospectedKind kind) => _options.Accepts.Contains(kind);

    /// <summary>
    /// The cached result for a token or key; null when the endpoint has to be asked. A key is not accepted as a bearer token, nor the other way round.
    /// </summary>
    public Task<AuthenticateResult>? Find(IntrospectedKind kind, ReadOnlySpan<char> text) => Takes(kind) ? _validated.Find(KeyOf(kind, text))?.Result : null;

    /// <summary>Whether a text can be a token or a key of a kind. A bearer token may begin as the gateway's own keys do, without their checksum.</summary>
    public static bool IsWellFormed(IntrospectedKind kind, ReadOnlySpan<char> text) =>
        kind == IntrospectedKind.ApiKey ? ApiKeyText.IsWellFormed(text) : ApiKeyText.IsText(text);

    public async Task<AuthenticateResult> AuthenticateAsync(HttpContext context, IntrospectedKind kind, ReadOnlyMemory<char> text)
    {
        var key = KeyOf(kind, text.Span);
        if (_validated.Find(key) is { } found) return await found.Result;
        // An anonymous route does not wait for anyone.
        if (BearerAuthentication.IsForAnyone(context)) return UnjudgedToken.WithoutIntrospection(context, _health.Pause);
        var isWellFormed = IsWellFormed(kind, text.Span);
        var throttle = _validated.WasGood(key) ? null : _edge.ForListenerOf(context);
        using var check = throttle is null ? null : await throttle.BeginAsync(context, key, keys: null, isRemote: isWellFormed);
        if (throttle is not null && check is null)
            return UnjudgedToken.LockedOut(context, throttle.LockedFor(context));

        try
        {
            // A token that was good before is not counted for its client.
            var client = throttle is null ? null : ClientAddress.Of(context);
            var result = !isWellFormed ? s_malformed
                : await _flights.JoinAsync($"introspect {key}", () => JudgeAsync(key, text.ToString(), client)).WaitAsync(context.RequestAborted);
            if (!result.Succeeded) check?.Refuse(result, keys: null, TimeSpan.Zero);
            return result;
        }
        catch (IntrospectionUnavailableException)
        {
            return UnjudgedToken.WithoutIntrospection(context, _health.Pause);
        }
    }

    /// <summary>Asks the endpoint about a token that was never issued.</summary>
    /// <returns>What it says, for an operator.</returns>
    /// <exception cref="IntrospectionUnavailableException">There is no response, or it cannot be used.</exception>
    public async Task<string> ProbeAsync()
    {
        using var response = await _client.AskAsync(ApiKeyText.Create());
        return response.RootElement.GetProperty("active").GetBoolean()
            ? throw new IntrospectionUnavailableException("it says that a token is active which was made up just now")
            : $"{_client.Address} accepts the client's secret, and reports a made-up token as inactive";
    }

    public void Dispose()
    {
        _negativeCache.Dispose();
        _client.Dispose();
    }

    private static TokenKey KeyOf(IntrospectedKind kind, ReadOnlySpan<char> text)
    {
        var scheme = kind == IntrospectedKind.ApiKey ? "Introspection:ApiKey" : BearerScheme;
        // All texts that are too long to be hashed count as one.
        return text.Length > ApiKeyText.Longest ? new TokenKey(scheme, 0, 0) : TokenKey.Of(scheme, text);
    }

    // The refusal of the last seconds; null if there is none. The memory cache's own clock only frees memory.
    private AuthenticateResult? FindRefusal(TokenKey key) =>
        _negativeCache.TryGetValue(key, out CachedRefusal? known) && known is not null && _time.GetElapsedTime(known.Since) < known.KeptFor
            ? known.Result ?? throw new IntrospectionUnavailableException("it was asked a moment ago")
            : null;

    private void CacheRefusal(TokenKey key, AuthenticateResult? result, TimeSpan time) =>
        _negativeCache.Set(
            key,
            new CachedRefusal(result, _time.GetTimestamp(), time),
            new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = time * 2 });

    private async Task<AuthenticateResult> JudgeAsync(TokenKey key, string text, string? client)
    {
        if (_validated.Find(key) is { } found) return await found.Result;
        if (FindRefusal(key) is { } refusal) return refusal;
        if (client is not null && !_ofClients.TryBegin(client)) throw new IntrospectionUnavailableException("too many calls of the client are under way");
        var (wasGood, hasFailed) = (client is null, false);
        var share = wasGood ? "good" : "new";
        try
        {
            if (!_calls.TryBegin(share)) throw new IntrospectionUnavailableException("too many calls are under way");
            try
            {
                // The call that may be made during an outage is about a client's token: the endpoint may fail for tokens that it does not know, as for its own.
                if (!(wasGood ? MayAskAboutGood(key) : _health.TryBeginCall()))
                    throw new IntrospectionUnavailableException("it fails, and is asked again soon");
                hasFailed = true;
                var result = await AskAsync(key, text, wasGood);
                hasFailed = false;
                return result;
            }
            finally
            {
                _calls.End(share);
            }
        }
        finally
        {
            if (client is not null) _ = EndAsync(client, hasFailed);
        }
    }

    // Fast failures do not free the client's place at once, so that one client cannot have the endpoint asked without end.
    private async Task EndAsync(string client, bool hasFailed)
    {
        if (hasFailed) await Task.Delay(s_unjudgedFor, _time);
        _ofClients.End(client);
    }

    // During an outage, tokens that were good before are asked about freely until the endpoint fails for one of them, and then once per pause. The same token has
    // to leave every other pause to another one, because the endpoint may fail for it alone.
    private bool MayAskAboutGood(TokenKey key)
    {
        lock (_lock)
        {
            if (_health.Outage is null || _lastGood is not { HasFailed: true } last) return true;
            if (_time.GetElapsedTime(last.At) < (last.Key == key ? 2 * _health.Pause : _health.Pause)) return false;
            _lastGood = last with { Key = key, At = _time.GetTimestamp() };
            return true;
        }
    }

    private void JudgeByGood(TokenKey key, bool hasFailed)
    {
        lock (_lock) _lastGood = new(key, hasFailed, _time.GetTimestamp());
    }

    private bool IsProvenByGood()
    {
        lock (_lock) return _lastGood is { HasFailed: false } last && _time.GetElapsedTime(last.At) < s_provenFor;
    }

    private async Task<AuthenticateResult> AskAsync(TokenKey key, string text, bool wasGood)
    {
        CallerIdentity? caller;
        string? refusal;
        try
        {
            using var response = await _client.AskAsync(text);
            caller = IntrospectionResponse.Read(
                response.RootElement, _claims, _client.Origin, key.Scheme == BearerScheme, _time.GetUtcNow(), () => _validated.IsRevoked(key), out refusal);
        }
        catch (IntrospectionUnavailableException)
        {
            _metrics.Introspected(isAccepted: null);
            if (wasGood) JudgeByGood(key, hasFailed: true);
            CacheRefusal(key, null, s_unjudgedFor);
            if (_health.Doubt()) _ = _flights.JoinAsync("introspect a token of our own", IsUsableAsync);
            throw;
        }

        if (wasGood) JudgeByGood(key, hasFailed: false);
        OnUsable();
        if (caller is not null && _validated.CallerOf(key, s_callerKeptFor) is { } before && (before.Issuer, before.Subject) != (caller.Issuer, caller.Subject))
            (caller, refusal) = (null, "the introspection endpoint names another caller for it than before");
        _metrics.Introspected(isAccepted: caller is not null);
        if (caller is null)
        {
            _validated.Revoke(key);
            var refused = Refused(refusal!);
            CacheRefusal(key, refused, s_refusedFor);
            return refused;
        }

        var result = AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(caller), Scheme));
        _validated.Add(key, result, caller, s_endpoint, _options.CacheFor);
        return result;
    }

    private void OnUsable()
    {
        if (_health.Succeeded() is { } outage) Log.Restored(_logger, outage.TotalSeconds);
    }

    private async Task<bool> IsUsableAsync()
    {
        try
        {
            await ProbeAsync();
            OnUsable();
            return true;
        }
        catch (IntrospectionUnavailableException e)
        {
            if (!IsProvenByGood() && _health.Failed(_client.Address, e.Cause)) Log.Lost(_logger, _client.Address, e.Cause);
            return false;
        }
    }

    private static AuthenticateResult Refused(string reason) => AuthenticateResult.Fail(new IntrospectionRefusal(reason));

    /// <summary>A refused token, or one that could not be judged: its result is null.</summary>
    private sealed record CachedRefusal(AuthenticateResult? Result, long Since, TimeSpan KeptFor);

    /// <summary>The last call about a token that was good before: whether the endpoint failed, and when that call ended or, in an outage, began.</summary>
    private sealed record GoodToken(TokenKey Key, bool HasFailed, long At);

    private static partial class Log
    {
        [LoggerMessage(EventIds.IntrospectionLost, LogLevel.Error,
            "The introspection endpoint {Address} cannot be used: {Cause}. What it said within CacheFor is still used; other keys and opaque tokens get 503",
            EventName = nameof(EventIds.IntrospectionLost))]
        public static partial void Lost(ILogger logger, string address, string cause);

        [LoggerMessage(EventIds.IntrospectionRestored, LogLevel.Information, "The introspection endpoint can be used again after {Seconds:F0} s",
            EventName = nameof(EventIds.IntrospectionRestored))]
        public static partial void Restored(ILogger logger, double seconds);
    }
}
