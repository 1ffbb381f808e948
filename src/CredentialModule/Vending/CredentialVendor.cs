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
internal sealed partial class CredentialVendor(
    CredentialCache cache, CacheKeyCache keys, SharedFetch fetch, SingleFlight flights, NegativeCache failures, StsRateLimiter budget, AssumeRoleClient sts, CacheInvalidation forgotten,
    IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CredentialVendor> logger)
{
    // A replica's clock may be off by this much without violating the requirement.
    private static readonly TimeSpan s_clockTolerance = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_leastBetweenVends = TimeSpan.FromSeconds(60);
    private const int MostRounds = 3;
    private const string NoPermit = "no permit of IotCredentials:Sts came up in time";

    // Spreads the renewals of replicas that started together. It is fixed for the life of the process, so that an entry gets the same verdict at every read.
    private readonly double _spread = Random.Shared.NextDouble();

    /// <exception cref="VendingException">No credentials satisfy the requirement, or none arrived within the timeout.</exception>
    public async ValueTask<Vended> VendAsync(VendContext inputs, LifetimeRequirement promise, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        var key = keys.Of(inputs, static inputs => CacheKey.Of(inputs.ToAssumeRoleParameters()));
        var local = IfOwned(inputs, key, cache.ReadLocal<CachedCredentials>(key));
        if (Satisfies(local, promise))
        {
            if (IsRefreshDue(local, promise)) RefreshInBackground(inputs, key, promise, caller);
            return new(local, VendOutcome.L1);
        }

        try
        {
            return await ObtainInTimeAsync(inputs, key, promise, caller, cancellation);
        }
        catch (Exception e) when (e is VendingException { Failure: not FailureClass.TooShort } or TimeoutException)
        {
            if (promise.AllowDegraded && IfOwned(inputs, key, cache.ReadLocal<CachedCredentials>(key)) is { } rest && RemainingLifetime(rest) >= LifetimeRequirement.ShortestRemaining)
            {
                if (!Satisfies(rest, promise) && failures.ShouldLog(key)) Log.ServedDegraded(logger, inputs.Organization.Value, inputs.RoleArn, RemainingLifetime(rest).TotalSeconds);
                return new(rest, Satisfies(rest, promise) ? VendOutcome.L1 : VendOutcome.Degraded);
            }

            throw e as VendingException ?? new VendingException(FailureClass.Unavailable, "no answer within IotCredentials:Timeout");
        }
    }

    private async Task<Vended> ObtainInTimeAsync(VendContext inputs, string key, LifetimeRequirement promise, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        var share = ShareOf(inputs, caller);
        using var waiter = budget.Join(key, share);
        try
        {
            return await SingleFlight.Observed(ObtainAsync(inputs, key, promise, caller, share)).WaitAsync(options.Value.WorkTimeout, cancellation);
        }
        catch (TimeoutException) when (budget.IsWaiting(key))
        {
            // This caller's share of the permits is used up, not the organization's: other callers keep waiting for the same call.
            failures.ThrowIfContained(NameOf(share, key));
            throw failures.Add(NameOf(share, key), new VendingException(FailureClass.Throttled, NoPermit));
        }
    }

    private async Task<Vended> ObtainAsync(VendContext inputs, string key, LifetimeRequirement promise, ClaimsPrincipal caller, FairnessKey share)
    {
        // The minimum is not below the session's duration, which the caller's token may have shortened: no session can satisfy it.
        if (promise.Minimum >= inputs.SessionDuration) throw TooShort();

        var shared = IfOwned(inputs, key, await flights.JoinAsync("read " + key, () => ReadSharedAsync(key)));
        if (Satisfies(shared, promise))
        {
            if (IsRefreshDue(shared, promise)) RefreshInBackground(inputs, key, promise, caller);
            return new(shared, VendOutcome.Redis);
        }

        failures.ThrowIfContained(NameOf(share, key));
        // Try several times: a renewal already in progress may have been started for a shorter minimum than this caller's.
        for (var round = 0; round < MostRounds; round++)
        {
            try
            {
                var fetched = await RenewAsync(inputs, key, promise);
                if (Satisfies(fetched.Value, promise)) return new(fetched.Value, fetched.IsNew ? VendOutcome.Sts : VendOutcome.Redis);
            }
            catch (OperationCanceledException) when (budget.IsWanted(key))
            {
                // The call was cancelled just before this caller joined it, because all other callers had left.
            }
        }

        throw TooShort();
    }

    private static FairnessKey ShareOf(VendContext inputs, ClaimsPrincipal caller) => new(VendCaller.Of(caller).Key, inputs.Organization.Value);

    private static string NameOf(FairnessKey share, string key) => $"{key} {share.Caller}";

    private static VendingException TooShort() => new(FailureClass.TooShort, "no session that lives as long as was promised or asked for");

    private Task<Fetched<CachedCredentials>> RenewAsync(VendContext inputs, string key, LifetimeRequirement promise) => fetch.RunAsync(
        key,
        async () =>
        {
            var shared = IfOwned(inputs, key, await ReadSharedAsync(key) ?? cache.ReadLocal<CachedCredentials>(key));
            return shared is not null && (IsRecentlyIssued(shared, promise) || (Satisfies(shared, promise) && !IsRefreshDue(shared, promise))) ? shared : null;
        },
        async () =>
        {
            var issued = await sts.AssumeRoleAsync(inputs.ToAssumeRoleParameters(), key);
            await cache.WriteAsync(key, issued, RemainingLifetime(issued) - LifetimeRequirement.ShortestRemaining);
            // The organization was invalidated during the call, so this key is no longer read. Remove it, so that a replica that loses the generation cannot
            // read it either.
            if (forgotten.GenerationOf(inputs.Organization.Value) != inputs.Generation) await cache.RemoveAsync(key);
            if (RemainingLifetime(issued) >= promise.Minimum) return issued;

            // The failure is cached, so that a too-short grant does not cause one STS call per request.
            Log.GrantBelowFloor(logger, inputs.RoleArn, RemainingLifetime(issued).TotalSeconds, promise.Minimum.TotalSeconds);
            throw TooShort();
        });

    private void RefreshInBackground(VendContext inputs, string key, LifetimeRequirement promise, ClaimsPrincipal caller)
    {
        var share = ShareOf(inputs, caller);
        if (fetch.IsUnderWay(key) || failures.Contains(key) || failures.Contains(NameOf(share, key))) return;
        _ = WaitAsync();

        async Task WaitAsync()
        {
            using var waiter = budget.Join(key, share);
            try
            {
                await RenewAsync(inputs, key, promise).WaitAsync(options.Value.WorkTimeout);
            }
            catch (Exception e)
            {
                if (e is TimeoutException && budget.IsWaiting(key) && !failures.Contains(NameOf(share, key)))
                    failures.Add(NameOf(share, key), new VendingException(FailureClass.Throttled, NoPermit));
                // A refusal of the gateway's own credentials is logged once, not for each organization.
                if (e is not VendingException { Failure: FailureClass.Credentials }) Log.RenewalFailed(logger, inputs.Organization.Value, inputs.RoleArn, FailureText.Of(e));
            }
        }
    }

    // Reads Redis only when the generations are loaded: before that, an entry may have been invalidated without this process knowing.
    private async Task<CachedCredentials?> ReadSharedAsync(string key) =>
        await forgotten.IsLoadedAsync() ? await cache.ReadSharedAsync<CachedCredentials>(key) : null;

    // Null unless the entry is the organization's, which the sealed entry names: if two organizations ever shared a key, neither must get the other's
    // credentials.
    private CachedCredentials? IfOwned(VendContext inputs, string key, CachedCredentials? entry)
    {
        if (entry is null || string.Equals(entry.OrganizationId, inputs.Organization.Value, StringComparison.Ordinal)) return entry;
        cache.OnEntryRejected(key);
        return null;
    }

    private bool Satisfies([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] CachedCredentials? entry, LifetimeRequirement promise) =>
        entry is not null && RemainingLifetime(entry) >= promise.Minimum + (IsRecentlyIssued(entry, promise) ? TimeSpan.Zero : s_clockTolerance);

    private TimeSpan RemainingLifetime(CachedCredentials entry) => entry.Expiration - time.GetUtcNow();

    // Issued within the last 60 s, or within RefreshAfter if that is shorter. Such an entry is accepted without clock tolerance and not renewed again, so that
    // a too-short grant does not cause one STS call per request.
    private bool IsRecentlyIssued(CachedCredentials entry, LifetimeRequirement promise) =>
        time.GetUtcNow() - entry.IssuedAt < (promise.RefreshAfter < s_leastBetweenVends ? promise.RefreshAfter : s_leastBetweenVends);

    // Older than 90 to 100 % of RefreshAfter, or within twice the clock tolerance of the minimum lifetime: renewing it before it falls below the minimum saves
    // the next caller a wait.
    private bool IsRefreshDue(CachedCredentials entry, LifetimeRequirement promise) =>
        time.GetUtcNow() - entry.IssuedAt >= promise.RefreshAfter * (1 - (0.1 * _spread)) || RemainingLifetime(entry) < promise.Minimum + (2 * s_clockTolerance);

    private static partial class Log
    {
        [LoggerMessage(EventIds.GrantBelowFloor, LogLevel.Error,
            "STS granted a session of {Role} of {Granted} s, below the {Floor} s that its profile promises: callers get 503. Lengthen the role's maximum session or lower MinimumLifetime",
            EventName = nameof(EventIds.GrantBelowFloor))]
        public static partial void GrantBelowFloor(ILogger logger, string role, double granted, double floor);

        [LoggerMessage(EventIds.ServedDegraded, LogLevel.Warning,
            "STS fails; {Organization} is served credentials of {Role} with {Left} s left, below what its profile promises",
            EventName = nameof(EventIds.ServedDegraded))]
        public static partial void ServedDegraded(ILogger logger, string organization, string role, double left);

        [LoggerMessage(EventIds.RenewalFailed, LogLevel.Warning, "The credentials of {Organization} for {Role} could not be renewed yet ({Cause}); the ones at hand serve on",
            EventName = nameof(EventIds.RenewalFailed))]
        public static partial void RenewalFailed(ILogger logger, string organization, string role, string cause);
    }
}
