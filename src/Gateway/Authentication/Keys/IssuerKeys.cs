using System.Diagnostics.CodeAnalysis;
using Gateway.Telemetry;
using IotCredentials.Failures;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication.Keys;

/// <summary>
/// The keys of one issuer. They are fetched in the background, one fetch at a time. Requests are judged by the current keys and do not wait. Only a token that
/// the current keys cannot judge waits for a fetch, for <see cref="LongestWait"/> at most.
/// </summary>
internal sealed partial class IssuerKeys : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>The longest that a request waits for a fetch.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // A withdrawn key must stop working within five minutes. Up to 30 s are subtracted at random, so that replicas that start together do not fetch together.
    private static readonly TimeSpan s_refreshEvery = TimeSpan.FromSeconds(285);
    private static readonly TimeSpan s_refreshSpread = TimeSpan.FromSeconds(30);

    // Tokens with unknown key ids cause one fetch in this time, however many there are.
    private static readonly TimeSpan s_onDemandEvery = TimeSpan.FromSeconds(10);

    // An attempt ends after 8 s if the issuer hangs, and attempts start at most 8 s apart: a recovered issuer is read within 10 s.
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(500);

    private readonly string _scheme;
    private readonly IssuerDocuments _documents;
    private readonly IReadOnlyCollection<string> _issuers;
    private readonly bool _requireHttps;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;
    private readonly ITimer _timer;
    private readonly PeerHealth _health;

    private volatile PublishedKeys? _current;
    private Task? _fetching;
    private long _began;
    private long? _onDemand;
    private long? _readAt;
    private long? _readFrom;

    public IssuerKeys(
        string scheme,
        string metadataAddress,
        IReadOnlyCollection<string> issuers,
        bool requireHttps,
        IssuerDocuments documents,
        TimeProvider time,
        GatewayMetrics metrics,
        ILogger logger)
    {
        (_scheme, _issuers, _requireHttps, _documents, _time, _metrics, _logger) = (scheme, issuers, requireHttps, documents, time, metrics, logger);
        MetadataAddress = metadataAddress;
        _health = new PeerHealth(time);
        _stopped = _stopping.Token;
        // The library's last-known-good fallback would keep a withdrawn key valid.
        UseLastKnownGoodConfiguration = false;
        _timer = time.CreateTimer(_ => FetchAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The current keys; null until the first fetch has succeeded. The object stays the same while the issuer publishes the same keys.</summary>
    public PublishedKeys? Current => _current;

    /// <summary>Why the keys cannot be fetched; null while they can be fetched.</summary>
    public PeerOutage? Outage => _health.Outage;

    /// <summary>How long ago the keys were last read; null until the first fetch has succeeded.</summary>
    public TimeSpan? Age
    {
        get { lock (_lock) return _readAt is { } at ? _time.GetElapsedTime(at) : null; }
    }

    /// <summary>The running fetch; null when there is none.</summary>
    public Task? Fetching
    {
        get { lock (_lock) return _fetching; }
    }

    /// <summary>When to retry a request whose token could not be judged.</summary>
    public TimeSpan RetryAfter
    {
        get
        {
            lock (_lock) return Outage is not null ? s_longestRetry : _fetching is null && UntilOnDemand() is { } rest ? rest : s_firstRetry;
        }
    }

    /// <summary>Whether no token may start a fetch yet, because one did so a moment ago.</summary>
    public bool IsPaused
    {
        get { lock (_lock) return Outage is null && _fetching is null && UntilOnDemand() is not null; }
    }

    /// <summary>Whether the keys were read by a fetch that began at this timestamp or later.</summary>
    public bool WasReadSince(long timestamp)
    {
        lock (_lock) return _readFrom >= timestamp;
    }

    /// <summary>Starts a fetch, or joins the running one. After the first fetch, the keys are refreshed in the background.</summary>
    /// <returns>A task that completes when the fetch has ended, successful or not.</returns>
    public Task FetchAsync()
    {
        lock (_lock)
        {
            if (_fetching is not null) return _fetching;
            _began = _time.GetTimestamp();
            // Suppress the flow of the execution context: the fetch must not run in the context of the request that happens to start it.
            using (ExecutionContext.SuppressFlow()) return _fetching = Task.Run(FetchOnceAsync);
        }
    }

    /// <summary>Fetches keys for a token that the current keys cannot judge.</summary>
    /// <returns>
    /// Whether a fetch that was running or began now has read the current keys; false when none may begin yet, or when it has not succeeded in time.
    /// </returns>
    public async ValueTask<bool> RefreshAsync(CancellationToken cancellation)
    {
        Task fetching;
        lock (_lock)
        {
            if (Outage is not null) return false;
            if (_fetching is null)
            {
                // The issuer may have published the key after the last fetch.
                if (UntilOnDemand() is not null) return false;
                // Every fetch counts, whatever it finds: the nodes of an issuer may publish different keys alternately.
                _onDemand = _time.GetTimestamp();
            }

            fetching = FetchAsync();
        }

        try
        {
            await fetching.WaitAsync(LongestWait, _time, cancellation);
        }
        catch (TimeoutException)
        {
            return false;
        }

        return Outage is null;
    }

    /// <summary>The current keys. Before the first successful fetch, waits for a fetch.</summary>
    /// <exception cref="IssuerUnavailableException">The keys cannot be fetched.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel)
    {
        if (_current is { } current) return current;
        await FetchAsync().WaitAsync(cancel);
        return _current ?? throw new IssuerUnavailableException(
            Outage?.Address ?? IssuerDocuments.Shown(MetadataAddress), Outage?.Cause ?? "the gateway stops");
    }

    /// <inheritdoc/>
    public override async Task<BaseConfiguration> GetBaseConfigurationAsync(CancellationToken cancel) => await GetConfigurationAsync(cancel);

    /// <summary>Does nothing. The library calls it for every bad signature, but this class decides when to fetch.</summary>
    public override void RequestRefresh()
    {
    }

    public void Dispose()
    {
        // The container disposes of a service once per registration.
        if (_stopped.IsCancellationRequested) return;
        _stopping.Cancel();
        _timer.Dispose();
        _stopping.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, the cached keys stay in use and the next attempt is scheduled.")]
    private async Task FetchOnceAsync()
    {
        PublishedKeys? fetched = null;
        (string Address, string Cause)? failure = null;
        try
        {
            fetched = await _documents.ReadAsync(MetadataAddress, _issuers, _requireHttps, _stopped);
        }
        catch (OperationCanceledException) when (_stopped.IsCancellationRequested)
        {
            return;
        }
        catch (IssuerUnavailableException e)
        {
            failure = (e.Address, e.Cause);
        }
        catch (Exception e)
        {
            failure = (IssuerDocuments.Shown(MetadataAddress), $"unexpected {e.GetType().Name}");
        }

        // They are adopted, because the old keys are withdrawn. But no token can be judged by them, and the reason is more likely a fault of the issuer.
        if (fetched is { SigningKeys.Count: 0 })
            failure = (IssuerDocuments.Shown(fetched.JwksUri), "it publishes no key that can be used, so none is in use");
        if (fetched is not null && !fetched.HasSameContent(_current))
        {
            _current = fetched;
            Log.KeysRead(_logger, _scheme, fetched.SigningKeys.Count, fetched.Passed.Count == 0 ? "" : $"; not used: {string.Join(", ", fetched.Passed)}");
        }

        var (begins, ended) = (false, (TimeSpan?)null);
        lock (_lock)
        {
            if (failure is { } of) begins = _health.Failed(of.Address, of.Cause);
            else (ended, _readAt, _readFrom) = (_health.Succeeded(), _time.GetTimestamp(), _began);
            _fetching = null;
            if (!_stopped.IsCancellationRequested) _timer.Change(UntilNext(), Timeout.InfiniteTimeSpan);
        }

        _metrics.IssuerFetched(_scheme, succeeded: failure is null);
        if (begins) Log.KeysNotRead(_logger, _scheme, failure!.Value.Address, failure.Value.Cause);
        if (ended is { } outage) Log.KeysReadAgain(_logger, _scheme, outage.TotalSeconds);
    }

    private TimeSpan? UntilOnDemand() =>
        _onDemand is { } last && s_onDemandEvery - _time.GetElapsedTime(last) is var rest && rest > TimeSpan.Zero ? rest : null;

    private TimeSpan UntilNext()
    {
        if (Outage is null) return s_refreshEvery - (s_refreshSpread * Random.Shared.NextDouble());
        var pause = (_health.Pause * (0.8 + (0.2 * Random.Shared.NextDouble()))) - _time.GetElapsedTime(_began);
        return pause > s_shortestPause ? pause : s_shortestPause;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KeysNotRead, LogLevel.Error,
            "The keys of {Scheme}'s issuer cannot be read from {Address}: {Cause}. The cached keys are still used; tokens that they cannot verify get 503 "
            + "until it can be reached", EventName = nameof(EventIds.KeysNotRead))]
        public static partial void KeysNotRead(ILogger logger, string scheme, string address, string cause);

        [LoggerMessage(EventIds.KeysReadAgain, LogLevel.Information, "The keys of {Scheme}'s issuer can be read again after {Seconds:F0} s",
            EventName = nameof(EventIds.KeysReadAgain))]
        public static partial void KeysReadAgain(ILogger logger, string scheme, double seconds);

        [LoggerMessage(EventIds.KeysRead, LogLevel.Information, "The keys of {Scheme}'s issuer have changed: {Count} in use{NotUsed}",
            EventName = nameof(EventIds.KeysRead))]
        public static partial void KeysRead(ILogger logger, string scheme, int count, string notUsed);
    }
}
