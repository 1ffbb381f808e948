using System.Security.Claims;
using IotCredentials.Aws;
using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Vending;

internal readonly record struct Vended(CachedCredentials Credentials, VendOutcome Outcome);

/// <summary>
/// Vends credentials that satisfy their lifetime requirement: from memory, else from Redis, else from STS, with one call per key at a time across threads and
/// replicas. Every read checks the entry against STS's own expiration.
/// </summary>
internal sealed class CredentialVendor(
    CredentialCache cache, CacheKeyCache keys, Fetcher fetcher, NegativeCache failures, StsRateLimiter limiter, AssumeRoleClient sts,
    CacheInvalidation invalidation, IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CredentialVendor> logger)
{
    // A replica's clock may be off by this much without violating the requirement.
    internal static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);
    internal static readonly TimeSpan LeastBetweenVends = TimeSpan.FromSeconds(60);

    // The largest part of RefreshAfter by which a process renews earlier.
    internal const double LargestSpread = 0.1;

    private const int MostRounds = 3;
    private const string NoPermit = "no permit of IotCredentials:Sts came up in time";

    // Spreads the renewals of replicas that started together. It is fixed for the life of the process, so that an entry gets the same verdict at every read.
    private readonly double _spread = Random.Shared.NextDouble();

    /// <exception cref="VendingException">No credentials satisfy the requirement, or none arrived within the timeout.</exception>
    public async ValueTask<Vended> VendAsync(VendContext context, LifetimeRequirement requirement, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        var lookup = new Lookup(this, context, keys.Of(context, static context => CacheKey.Of(context.ToAssumeRoleParameters())), requirement, caller);
        if (fetcher.ReadLocal<CachedCredentials, Lookup>(lookup) is { } local) return new(local, VendOutcome.L1);
        try
        {
            return await ObtainInTimeAsync(lookup, cancellation);
        }
        catch (Exception e) when (e is VendingException { Failure: not FailureClass.TooShort } or TimeoutException)
        {
            if (cache.ReadLocal<CachedCredentials>(lookup.Key) is { } cached && lookup.Matches(cached))
            {
                if (lookup.IsAcceptable(cached)) return new(cached, VendOutcome.L1);
                if (requirement.AllowDegraded && RemainingLifetime(cached) >= LifetimeRequirement.ShortestRemaining)
                {
                    if (failures.ShouldLog(lookup.Key))
                        Log.ServedDegraded(logger, context.Organization.Value, context.RoleArn, RemainingLifetime(cached).TotalSeconds);
                    return new(cached, VendOutcome.Degraded);
                }
            }

            throw e as VendingException ?? new VendingException(FailureClass.Unavailable, "no response within IotCredentials:Timeout");
        }
    }

    private Task<Vended> ObtainInTimeAsync(Lookup lookup, CancellationToken cancellation) => WaitAsync(lookup, () => ObtainAsync(lookup), cancellation);

    // Waits for work as one of the callers for whom the limiter queues the call.
    private async Task<T> WaitAsync<T>(Lookup lookup, Func<Task<T>> work, CancellationToken cancellation)
    {
        using var waiter = limiter.Join(lookup.Key, lookup.Share);
        try
        {
            return await work().ObserveException().WaitAsync(options.Value.WorkTimeout, cancellation);
        }
        catch (TimeoutException) when (limiter.IsWaiting(lookup.Key))
        {
            // This caller's share of the permits is used up, not the organization's: other callers keep waiting for the same call.
            failures.ThrowIfContained(lookup.ShareKey);
            throw failures.Add(lookup.ShareKey, new VendingException(FailureClass.Throttled, NoPermit));
        }
    }

    private async Task<Vended> ObtainAsync(Lookup lookup)
    {
        // The minimum is not below the session's duration, which the caller's token may have shortened: no session can satisfy it.
        if (lookup.Requirement.Minimum >= lookup.Context.SessionDuration) throw TooShort();
        if (await fetcher.ReadSharedAsync<CachedCredentials, Lookup>(lookup) is { } shared) return new(shared, VendOutcome.Redis);

        failures.ThrowIfContained(lookup.ShareKey);
        // Try several times: a renewal already in progress may have been started for a shorter minimum than this caller's.
        for (var round = 0; round < MostRounds; round++)
        {
            try
            {
                var fetched = await fetcher.RenewAsync<CachedCredentials, Lookup>(lookup);
                if (lookup.IsAcceptable(fetched.Value)) return new(fetched.Value, fetched.IsNew ? VendOutcome.Sts : VendOutcome.Redis);
            }
            catch (OperationCanceledException) when (limiter.IsWanted(lookup.Key))
            {
                // The call was cancelled just before this caller joined it, because all other callers had left.
            }
        }

        throw TooShort();
    }

    private static VendingException TooShort() => new(FailureClass.TooShort, "no session satisfies the minimum lifetime");

    private async Task RefreshAsync(Lookup lookup, Func<Task> renew)
    {
        if (failures.Contains(lookup.ShareKey)) return;
        try
        {
            await WaitAsync(lookup, async () =>
            {
                await renew();
                return true;
            }, CancellationToken.None);
        }
        catch (Exception e)
        {
            // A refusal of the gateway's own credentials is logged once, not for each organization.
            if (e is not VendingException { Failure: FailureClass.Credentials })
                Log.RenewalFailed(logger, lookup.Context.Organization.Value, lookup.Context.RoleArn, FailureText.Of(e));
        }
    }

    private async Task OnCachedAsync(Lookup lookup, CachedCredentials issued)
    {
        await invalidation.RemoveIfOutdatedAsync(lookup.Context.Organization.Value, lookup.Context.Generation, lookup.Key);
        var minimum = lookup.Requirement.Minimum;
        if (RemainingLifetime(issued) >= minimum) return;

        // The failure is cached, so that a too-short grant does not cause one STS call per request.
        Log.GrantBelowFloor(logger, lookup.Context.RoleArn, RemainingLifetime(issued).TotalSeconds, minimum.TotalSeconds);
        throw TooShort();
    }

    private void ReportForeignEntry(string key) => cache.OnEntryRejected(key);

    private ValueTask<bool> IsLoadedAsync() => invalidation.IsLoadedAsync();

    private Task<CachedCredentials> CallAsync(VendContext context, string key) => sts.AssumeRoleAsync(context.ToAssumeRoleParameters(), key);

    private bool Satisfies(CachedCredentials entry, LifetimeRequirement requirement) =>
        RemainingLifetime(entry) >= requirement.Minimum + (IsRecentlyIssued(entry, requirement) ? TimeSpan.Zero : ClockTolerance);

    private bool IsAhead(CachedCredentials entry) => cache.IsAhead(entry.IssuedAt);

    private TimeSpan RemainingLifetime(CachedCredentials entry) => entry.Expiration - time.GetUtcNow();

    // Issued within the last 60 s, or within RefreshAfter if that is shorter. Such an entry is accepted without clock tolerance and not renewed again, so that
    // a too-short grant does not cause one STS call per request.
    private bool IsRecentlyIssued(CachedCredentials entry, LifetimeRequirement requirement) =>
        time.GetUtcNow() - entry.IssuedAt < (requirement.RefreshAfter < LeastBetweenVends ? requirement.RefreshAfter : LeastBetweenVends);

    // Older than 90 to 100 % of RefreshAfter, or within twice the clock tolerance of the minimum lifetime: renewing it before it falls below the minimum saves
    // the next caller a wait.
    private bool IsRefreshDue(CachedCredentials entry, LifetimeRequirement requirement) =>
        time.GetUtcNow() - entry.IssuedAt >= requirement.RefreshAfter * (1 - (LargestSpread * _spread))
            || RemainingLifetime(entry) < requirement.Minimum + (2 * ClockTolerance);

    /// <summary>One caller's lookup of an organization's credentials.</summary>
    private readonly struct Lookup(CredentialVendor vendor, VendContext context, string key, LifetimeRequirement requirement, ClaimsPrincipal caller)
        : IFetch<CachedCredentials>
    {
        public string Kind => "credentials";
        public string Key => key;
        public VendContext Context => context;
        public LifetimeRequirement Requirement => requirement;
        public FairnessKey Share => new(CallerClaims.Of(caller).Key, context.Organization.Value);

        /// <summary>The key of this caller's failures to get a permit, in the negative cache.</summary>
        public string ShareKey => $"{key} {Share.Caller}";

        // The sealed entry names its organization: if two organizations ever shared a key, neither must get the other's credentials.
        public bool Matches(CachedCredentials value)
        {
            if (string.Equals(value.OrganizationId, context.Organization.Value, StringComparison.Ordinal)) return !vendor.IsAhead(value);
            vendor.ReportForeignEntry(key);
            return false;
        }

        public bool IsAcceptable(CachedCredentials value) => vendor.Satisfies(value, requirement);

        public bool IsRefreshDue(CachedCredentials value) => vendor.IsRefreshDue(value, requirement);

        public bool IsCurrent(CachedCredentials value) => vendor.IsRecentlyIssued(value, requirement) || (IsAcceptable(value) && !IsRefreshDue(value));

        public bool IsNewer(CachedCredentials value, CachedCredentials known) =>
            !vendor.IsAhead(value) && (vendor.IsAhead(known) || value.IssuedAt > known.IssuedAt);

        // Not before the generations are loaded: an entry may have been invalidated without this process knowing.
        public ValueTask<bool> MayReadSharedAsync() => vendor.IsLoadedAsync();

        public Task<CachedCredentials> CallAsync() => vendor.CallAsync(context, key);

        public TimeSpan CacheDurationOf(CachedCredentials value) => vendor.RemainingLifetime(value) - LifetimeRequirement.ShortestRemaining;

        public Task OnCachedAsync(CachedCredentials value) => vendor.OnCachedAsync(this, value);

        public Task RefreshAsync(Func<Task> renew) => vendor.RefreshAsync(this, renew);
    }
}
