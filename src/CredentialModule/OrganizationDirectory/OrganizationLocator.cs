using System.Security.Claims;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Profiles;
using IotCredentials.Telemetry;
using IotCredentials.Vending;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.OrganizationDirectory;

/// <summary>
/// Finds out where an organization lives: from memory, else from Redis, else from the directory. A response is renewed in the background before it expires, and
/// is still used for a time while the directory fails. It must be asked only for callers that may have the organization.
/// </summary>
internal sealed class OrganizationLocator
{
    private const double RefreshAfter = 0.8;
    private const int MostCallsOfACaller = 64;
    private static readonly TimeSpan s_whileOut = TimeSpan.FromSeconds(1);

    private readonly DirectoryClient _client;
    private readonly DirectoryOptions _options;
    private readonly CallLimit _calls = new(MostCallsOfACaller);
    private readonly PeerHealth _health;
    private readonly SingleFlight _flights;
    private readonly OrganizationId? _probe;
    private readonly CredentialCache _cache;
    private readonly CacheKeyCache _keys;
    private readonly Fetcher _fetcher;
    private readonly CacheInvalidation _invalidation;
    private readonly IOptions<IotCredentialsOptions> _module;
    private readonly CredentialMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<OrganizationLocator> _logger;

    public OrganizationLocator(
        DirectoryClient client, CredentialCache cache, CacheKeyCache keys, Fetcher fetcher, CacheInvalidation invalidation,
        SingleFlight flights, IOptions<IotCredentialsOptions> module, CredentialMetrics metrics, TimeProvider time, ILogger<OrganizationLocator> logger)
    {
        (_client, _cache, _keys, _fetcher, _invalidation, _flights) = (client, cache, keys, fetcher, invalidation, flights);
        (_module, _metrics, _time, _logger) = (module, metrics, time, logger);
        _options = client.Options ?? new();
        _health = new PeerHealth(time);
        _probe = OrganizationIdFormat.TryCreate(module.Value.OrganizationId, out _)?.LongestId;
        if (client.Options is not null) metrics.ObserveDirectory(() => Outage is null);
    }

    /// <summary>The directory's outage; null while it can be asked.</summary>
    public PeerOutage? Outage => _health.Outage;

    /// <summary>The profile of an organization, where it lives; null if the directory does not know the organization.</summary>
    /// <param name="template">The profile.</param>
    /// <param name="organization">The organization.</param>
    /// <param name="caller">Who asks for it.</param>
    /// <exception cref="VendingException">The place cannot be found out, or it contradicts the profile.</exception>
    public async ValueTask<Profile?> FindAsync(ProfileTemplate template, OrganizationId organization, ClaimsPrincipal caller)
    {
        var entry = await FindAsync(organization, caller);
        if (entry.Place is null) return null;
        var located = entry.Locate(template, out var isNew);
        if (located.Profile is { } profile) return profile;
        if (isNew) Log.DirectoryResponseRefused(_logger, organization.Value, $"its response {located.Problem}");
        throw new VendingException(FailureClass.Refused, $"the directory's response {located.Problem}");
    }

    private async ValueTask<DirectoryEntry> FindAsync(OrganizationId organization, ClaimsPrincipal caller)
    {
        var generation = _invalidation.GenerationOf(organization.Value);
        var key = _keys.Of(
            (Directory: _options.Address ?? "", Organization: organization.Value, Generation: generation),
            static of => CacheKey.OfDirectory(of.Directory, of.Organization, of.Generation));
        var lookup = new Lookup(this, organization, generation, key);
        if (_fetcher.ReadLocal<DirectoryEntry, Lookup>(lookup) is { } local) return local;
        try
        {
            return await ObtainAsync(lookup, organization, caller).ObserveException().WaitAsync(_module.Value.WorkTimeout);
        }
        catch (Exception e) when (e is VendingException { Failure: not FailureClass.Refused } or TimeoutException)
        {
            if (_cache.ReadLocal<DirectoryEntry>(key) is { } cached && lookup.Matches(cached) && IsUsable(cached)) return cached;
            throw e as VendingException ?? new VendingException(FailureClass.Unavailable, "no response within IotCredentials:Timeout");
        }
    }

    private async Task<DirectoryEntry> ObtainAsync(Lookup lookup, OrganizationId organization, ClaimsPrincipal caller)
    {
        if (await _fetcher.ReadSharedAsync<DirectoryEntry, Lookup>(lookup) is { } shared) return shared;
        var key = CallerClaims.Of(caller) is { Subject: not null } named ? named.Key : organization.Value;
        // The limit is the caller's own. Other callers share neither its refusals nor its limit, only the call.
        return await _flights.JoinAsync($"{lookup.Key} for {key}", async () =>
        {
            if (!_calls.TryBegin(key))
                throw new VendingException(FailureClass.Unavailable, "the caller has too many calls to the directory under way", s_whileOut);
            try
            {
                return (await _fetcher.RenewAsync<DirectoryEntry, Lookup>(lookup)).Value;
            }
            finally
            {
                _calls.End(key);
            }
        });
    }

    private async Task<DirectoryEntry> CallAsync(OrganizationId organization)
    {
        // The call that may be made during an outage is the caller's own: the directory may fail for the id that the gateway would probe it with.
        if (!_health.TryBeginCall())
            throw new VendingException(FailureClass.Unavailable, "the directory keeps failing and is not called for now", s_whileOut);
        var askedAt = _time.GetUtcNow();
        OrganizationPlace? place;
        try
        {
            place = await _client.AskAsync(organization);
        }
        catch (VendingException e)
        {
            OnFailed(organization, e);
            throw;
        }

        OnResponded(place is null ? "unknown" : "success");
        return new DirectoryEntry { OrganizationId = organization.Value, AskedAt = askedAt, Place = place };
    }

    private void OnFailed(OrganizationId organization, VendingException failure)
    {
        if (failure.Failure == FailureClass.Refused)
        {
            // The directory responds, so other organizations can be asked for.
            OnResponded("refused");
            Log.DirectoryResponseRefused(_logger, organization.Value, failure.Message);
            return;
        }

        _metrics.DirectoryCalled("failure");
        if (Outage is null) Log.DirectoryCallFailed(_logger, organization.Value, failure.Message);
        // It may fail for this organization alone, so the directory is judged by another.
        if (_health.Doubt()) _ = _flights.JoinAsync("directory", IsUsableAsync);
    }

    private async Task<bool> IsUsableAsync()
    {
        try
        {
            if (_probe is not null) await _client.ProbeAsync(_probe);
        }
        catch (VendingException e) when (e.Failure != FailureClass.Refused)
        {
            if (_health.Failed(_client.ShownAddress, e.Message)) Log.DirectoryLost(_logger, _client.ShownAddress, e.Message);
            return false;
        }
        catch (VendingException)
        {
            // It responds, if oddly.
        }

        OnUsable();
        return true;
    }

    private void OnResponded(string outcome)
    {
        _metrics.DirectoryCalled(outcome);
        OnUsable();
    }

    private void OnUsable()
    {
        if (_health.Succeeded() is { } outage) Log.DirectoryRestored(_logger, _client.ShownAddress, outage.TotalSeconds);
    }

    private TimeSpan AgeOf(DirectoryEntry entry) => _time.GetUtcNow() - entry.AskedAt;

    private bool IsAhead(DirectoryEntry entry) => _cache.IsAhead(entry.AskedAt);

    private bool IsFresh(DirectoryEntry entry, double part = 1) => AgeOf(entry) < (entry.Place is null ? _options.UnknownFor : _options.CacheFor * part);

    private TimeSpan LongestUse(DirectoryEntry entry) => entry.Place is null ? _options.UnknownFor : _options.CacheFor + _options.StaleFor;

    private bool IsUsable(DirectoryEntry entry) => AgeOf(entry) < LongestUse(entry);

    // An entry can be older than this process, and its options narrower than those that the entry was accepted under.
    private bool IsAllowed(OrganizationPlace? place) => place is null || (_options.AllowsAccount(place.AccountId) && _options.AllowsRegion(place.Region));

    private readonly struct Lookup(OrganizationLocator locator, OrganizationId organization, string? generation, string key) : IFetch<DirectoryEntry>
    {
        public string Kind => "place";

        public string Key => key;

        // The sealed entry names its organization: if two organizations ever shared a key, neither must get the other's place.
        public bool Matches(DirectoryEntry value)
        {
            if (string.Equals(value.OrganizationId, organization.Value, StringComparison.Ordinal))
                return locator.IsAllowed(value.Place) && !locator.IsAhead(value);
            locator._cache.OnEntryRejected(key);
            return false;
        }

        public bool IsAcceptable(DirectoryEntry value) => locator.IsFresh(value);

        public bool IsRefreshDue(DirectoryEntry value) => value.Place is not null && !locator.IsFresh(value, RefreshAfter);

        public bool IsCurrent(DirectoryEntry value) => locator.IsFresh(value, RefreshAfter);

        public bool IsNewer(DirectoryEntry value, DirectoryEntry known) =>
            !locator.IsAhead(value) && (locator.IsAhead(known) || value.AskedAt > known.AskedAt);

        // Not before the generations are loaded: an entry may have been invalidated without this process knowing.
        public ValueTask<bool> MayReadSharedAsync() => locator._invalidation.IsLoadedAsync();

        public Task<DirectoryEntry> CallAsync() => locator.CallAsync(organization);

        public TimeSpan CacheDurationOf(DirectoryEntry value) => locator.LongestUse(value);

        public Task OnCachedAsync(DirectoryEntry value) => locator._invalidation.RemoveIfOutdatedAsync(organization.Value, generation, key);

        // The call logs its failure.
        public Task RefreshAsync(Func<Task> renew) => renew().ObserveException();
    }
}
