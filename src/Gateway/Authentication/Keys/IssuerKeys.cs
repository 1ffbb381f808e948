using System.Diagnostics.CodeAnalysis;
using Gateway.Telemetry;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication.Keys;

/// <summary>
/// The keys of one issuer. They are fetched in the background, one fetch at a time; requests are judged by the keys at hand and do not wait.
/// Only a token that the keys at hand cannot judge waits for a fetch, and not longer than <see cref="LongestWait"/>.
/// </summary>
internal sealed partial class IssuerKeys : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>, IDisposable
{
    /// <summary>How long a request waits for a fetch at most.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    // A withdrawn key stops within five minutes. Replicas that start together must not fetch together: up to 30 s are taken off at random.
    private static readonly TimeSpan s_refreshEvery = TimeSpan.FromSeconds(285);
    private static readonly TimeSpan s_refreshSpread = TimeSpan.FromSeconds(30);

    // Tokens with unknown key ids cost an issuer one fetch in this time, however many they are.
    private static readonly TimeSpan s_onDemandEvery = TimeSpan.FromSeconds(10);

    // Counted from the beginning of one attempt to that of the next: an attempt on an issuer that hangs ends after 8 s, and one that is well again is
    // read within 10 s.
    private static readonly TimeSpan s_firstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestRetry = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(500);

    private readonly string _scheme;
    private readonly IssuerDocuments _documents;
    private readonly IReadOnlyCollection<string> _issuers;
    private readonly bool _requireHttps;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationToken _stopped;
    private readonly ITimer _timer;

    private volatile PublishedKeys? _current;
    private volatile IssuerOutage? _outage;
    private Task? _fetching;
    private long _began;
    private long? _onDemand;
    private int _failures;

    public IssuerKeys(
        string scheme,
        string metadataAddress,
        IReadOnlyCollection<string> issuers,
        bool requireHttps,
        IssuerDocuments documents,
        TimeProvider time,
        ILogger logger)
    {
        (_scheme, _issuers, _requireHttps, _documents, _time, _logger) = (scheme, issuers, requireHttps, documents, time, logger);
        MetadataAddress = metadataAddress;
        _stopped = _stopping.Token;
        // The last known good keys would let a withdrawn key live on.
        UseLastKnownGoodConfiguration = false;
        _timer = time.CreateTimer(_ => FetchAsync(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>The keys at hand; null until the first fetch has succeeded. The same object for as long as the issuer publishes the same.</summary>
    public PublishedKeys? Current => _current;

    /// <summary>Why the keys cannot be fetched; null while they can.</summary>
    public IssuerOutage? Outage => _outage;

    /// <summary>The fetch that is running; null when there is none.</summary>
    public Task? Fetching
    {
        get { lock (_lock) return _fetching; }
    }

    /// <summary>When it is worth asking again for a token that could not be judged.</summary>
    public TimeSpan RetryAfter => _outage is null ? s_firstRetry : s_longestRetry;

    /// <summary>Starts a fetch, or joins the one that is running. From the first one on, the keys are kept fresh in the background.</summary>
    /// <returns>When the fetch has ended, well or badly.</returns>
    public Task FetchAsync()
    {
        lock (_lock)
        {
            if (_fetching is not null) return _fetching;
            _began = _time.GetTimestamp();
            // Nothing of the request that happens to start a fetch belongs to it.
            using (ExecutionContext.SuppressFlow()) return _fetching = Task.Run(FetchOnceAsync);
        }
    }

    /// <summary>Fetches keys for a token that the keys at hand cannot judge.</summary>
    /// <returns>Whether the keys at hand are those that the issuer publishes now; false when that cannot be known in time.</returns>
    public async ValueTask<bool> RefreshAsync(CancellationToken cancellation)
    {
        Task fetching;
        lock (_lock)
        {
            if (_outage is not null) return false;
            if (_fetching is null)
            {
                if (_onDemand is { } last && _time.GetElapsedTime(last) < s_onDemandEvery) return true;
                // It counts whatever it finds: the nodes of an issuer may publish one thing in turn with another.
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

        return _outage is null;
    }

    /// <summary>The keys at hand; before the first fetch has succeeded, what it comes to.</summary>
    /// <exception cref="IssuerUnavailableException">The keys cannot be fetched.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel)
    {
        if (_current is { } current) return current;
        await FetchAsync().WaitAsync(cancel);
        return _current ?? throw new IssuerUnavailableException(_outage?.Address ?? IssuerDocuments.Shown(MetadataAddress), _outage?.Cause ?? "the gateway stops");
    }

    /// <inheritdoc/>
    public override async Task<BaseConfiguration> GetBaseConfigurationAsync(CancellationToken cancel) => await GetConfigurationAsync(cancel);

    /// <summary>Does nothing: the library asks for it with every bad signature, and when to fetch is decided here.</summary>
    public override void RequestRefresh()
    {
    }

    public void Dispose()
    {
        // The container disposes of a service once for each way that it is registered by.
        if (_stopped.IsCancellationRequested) return;
        _stopping.Cancel();
        _timer.Dispose();
        _stopping.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong, the keys at hand serve on and the next attempt is scheduled.")]
    private async Task FetchOnceAsync()
    {
        PublishedKeys? fetched = null;
        IssuerOutage? outage = null;
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
            outage = new(e.Address, e.Cause, _time.GetUtcNow());
        }
        catch (Exception e)
        {
            outage = new(IssuerDocuments.Shown(MetadataAddress), $"unexpected {e.GetType().Name}", _time.GetUtcNow());
        }

        var before = _outage;
        if (fetched is not null && !fetched.SaysTheSameAs(_current))
        {
            _current = fetched;
            Log.KeysRead(_logger, _scheme, fetched.SigningKeys.Count, fetched.Passed.Count == 0 ? "" : $"; not used: {string.Join(", ", fetched.Passed)}");
        }

        lock (_lock)
        {
            _outage = outage is null ? null : outage with { Since = before?.Since ?? outage.Since };
            _fetching = null;
            _failures = outage is null ? 0 : _failures + 1;
            if (!_stopped.IsCancellationRequested) _timer.Change(UntilNext(), Timeout.InfiniteTimeSpan);
        }

        if (outage is not null && before is null) Log.KeysNotRead(_logger, _scheme, outage.Address, outage.Cause);
        if (outage is null && before is not null) Log.KeysReadAgain(_logger, _scheme, (_time.GetUtcNow() - before.Since).TotalSeconds);
    }

    private TimeSpan UntilNext()
    {
        if (_failures == 0) return s_refreshEvery - (s_refreshSpread * Random.Shared.NextDouble());
        var apart = TimeSpan.FromTicks(Math.Min(s_firstRetry.Ticks << Math.Min(_failures - 1, 10), s_longestRetry.Ticks));
        var pause = (apart * (0.8 + (0.2 * Random.Shared.NextDouble()))) - _time.GetElapsedTime(_began);
        return pause > s_shortestPause ? pause : s_shortestPause;
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.KeysNotRead, LogLevel.Error,
            "The keys of {Scheme}'s issuer cannot be read from {Address}: {Cause}. Keys at hand serve on; tokens that they cannot judge get 503 "
            + "until it can be reached")]
        public static partial void KeysNotRead(ILogger logger, string scheme, string address, string cause);

        [LoggerMessage(EventIds.KeysReadAgain, LogLevel.Information, "The keys of {Scheme}'s issuer can be read again after {Seconds:F0} s")]
        public static partial void KeysReadAgain(ILogger logger, string scheme, double seconds);

        [LoggerMessage(EventIds.KeysRead, LogLevel.Information, "The keys of {Scheme}'s issuer have changed: {Count} in use{NotUsed}")]
        public static partial void KeysRead(ILogger logger, string scheme, int count, string notUsed);
    }
}

/// <summary>Why an issuer's keys cannot be fetched.</summary>
/// <param name="Address">The document that cannot be read.</param>
/// <param name="Cause">The cause, for an operator.</param>
/// <param name="Since">When the first attempt failed.</param>
internal sealed record IssuerOutage(string Address, string Cause, DateTimeOffset Since);
