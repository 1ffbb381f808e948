using System.Security.Claims;
using CredentialModule.Aws;
using CredentialModule.Caching;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>Where an answer came from.</summary>
internal enum VendOutcome
{
    /// <summary>This process's memory.</summary>
    L1,

    /// <summary>Redis: this or another replica vended it before.</summary>
    Redis,

    /// <summary>A call to STS that this answer waited for.</summary>
    Sts,

    /// <summary>The cache, below the promised lifetime, because STS fails.</summary>
    Degraded,
}

internal readonly record struct Vended(StoredCredentials Credentials, VendOutcome Outcome);

/// <summary>
/// Hands out credentials that keep their promise: from memory, else from Redis, else from STS, one call a key at a time over threads and
/// replicas. Every entry is judged at every read, by STS's own expiration.
/// </summary>
internal sealed partial class CredentialVendor(
    CredentialCache cache, KnownKeys keys, SharedFetch fetch, SingleFlight flights, FailureMemory failures, StsBudget budget, StsCalls sts, ForgottenOrganizations forgotten,
    IOptions<IotCredentialsOptions> options, TimeProvider time, ILogger<CredentialVendor> logger)
{
    // A replica's clock may be off by this much without breaking the promise.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeastBetweenVends = TimeSpan.FromSeconds(60);
    private const int MostRounds = 3;
    private const string NoPermit = "no permit of IotCredentials:Sts came up in time";

    // Spreads the renewals of replicas that started together; stays put for the life of the process, so that one entry is judged alike at every read.
    private readonly double _spread = Random.Shared.NextDouble();

    /// <exception cref="VendingException">There are none that keep the promise, or none within the time-out.</exception>
    public async ValueTask<Vended> VendAsync(VendInputs inputs, LifetimePromise promise, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        var key = keys.Of(inputs, static inputs => CacheKey.Of(inputs.Request()));
        var local = Own(inputs, key, cache.ReadLocal<StoredCredentials>(key));
        if (Keeps(local, promise))
        {
            if (IsDue(local, promise)) RenewBehind(inputs, key, promise, caller);
            return new(local, VendOutcome.L1);
        }

        try
        {
            return await ObtainInTimeAsync(inputs, key, promise, caller, cancellation);
        }
        catch (Exception e) when (e is VendingException { Failure: not FailureClass.TooShort } or TimeoutException)
        {
            if (promise.MayFallBelow && Own(inputs, key, cache.ReadLocal<StoredCredentials>(key)) is { } rest && LifeOf(rest) >= LifetimePromise.Least)
            {
                if (!Keeps(rest, promise) && failures.TellsFirst(key)) Log.ServedDegraded(logger, inputs.Organization.Value, inputs.RoleArn, LifeOf(rest).TotalSeconds);
                return new(rest, Keeps(rest, promise) ? VendOutcome.L1 : VendOutcome.Degraded);
            }

            throw e as VendingException ?? new VendingException(FailureClass.Unavailable, "no answer within IotCredentials:Timeout");
        }
    }

    private async Task<Vended> ObtainInTimeAsync(VendInputs inputs, string key, LifetimePromise promise, ClaimsPrincipal caller, CancellationToken cancellation)
    {
        var share = ShareOf(inputs, caller);
        using var waiter = budget.Join(key, share);
        try
        {
            return await SingleFlight.Observed(ObtainAsync(inputs, key, promise, caller, share)).WaitAsync(options.Value.WorkTimeout, cancellation);
        }
        catch (TimeoutException) when (budget.IsWaiting(key))
        {
            // It is this caller's share that is used up, not the organization's: another caller's wait for the same call goes on.
            failures.ThrowIfRemembered(NameOf(share, key));
            throw failures.Remember(NameOf(share, key), new VendingException(FailureClass.Throttled, NoPermit));
        }
    }

    private async Task<Vended> ObtainAsync(VendInputs inputs, string key, LifetimePromise promise, ClaimsPrincipal caller, BudgetShare share)
    {
        // A session that the caller's token cuts short cannot live for longer than it was asked for.
        if (promise.Floor >= inputs.SessionDuration) throw TooShort();

        var shared = Own(inputs, key, await flights.JoinAsync("read " + key, () => ReadSharedAsync(key)));
        if (Keeps(shared, promise))
        {
            if (IsDue(shared, promise)) RenewBehind(inputs, key, promise, caller);
            return new(shared, VendOutcome.Redis);
        }

        failures.ThrowIfRemembered(NameOf(share, key));
        // A renewal that was already under way may have been content with less than this caller needs.
        for (var round = 0; round < MostRounds; round++)
        {
            try
            {
                var fetched = await RenewAsync(inputs, key, promise);
                if (Keeps(fetched.Value, promise)) return new(fetched.Value, fetched.IsNew ? VendOutcome.Sts : VendOutcome.Redis);
            }
            catch (OperationCanceledException) when (budget.IsWanted(key))
            {
                // The call was given up just before this caller joined it: everybody else had left.
            }
        }

        throw TooShort();
    }

    private static BudgetShare ShareOf(VendInputs inputs, ClaimsPrincipal caller) => new(VendCaller.Of(caller).Key, inputs.Organization.Value);

    private static string NameOf(BudgetShare share, string key) => $"{key} {share.Caller}";

    private static VendingException TooShort() => new(FailureClass.TooShort, "no session that lives as long as was promised or asked for");

    private Task<Fetched<StoredCredentials>> RenewAsync(VendInputs inputs, string key, LifetimePromise promise) => fetch.RunAsync(
        key,
        async () =>
        {
            var shared = Own(inputs, key, await ReadSharedAsync(key) ?? cache.ReadLocal<StoredCredentials>(key));
            return shared is not null && (IsYoung(shared, promise) || (Keeps(shared, promise) && !IsDue(shared, promise))) ? shared : null;
        },
        async () =>
        {
            var issued = await sts.AssumeRoleAsync(inputs.Request(), key);
            await cache.WriteAsync(key, issued, LifeOf(issued) - LifetimePromise.Least);
            // Invalidated while AWS was asked: nobody reads this key any more, and nobody shall who has lost the mark.
            if (forgotten.MarkOf(inputs.Organization.Value) != inputs.Forgotten) await cache.RemoveAsync(key);
            if (LifeOf(issued) >= promise.Floor) return issued;

            // Remembered as a failure, so that it is not asked for again and again.
            Log.GrantBelowFloor(logger, inputs.RoleArn, LifeOf(issued).TotalSeconds, promise.Floor.TotalSeconds);
            throw TooShort();
        });

    private void RenewBehind(VendInputs inputs, string key, LifetimePromise promise, ClaimsPrincipal caller)
    {
        var share = ShareOf(inputs, caller);
        if (fetch.IsUnderWay(key) || failures.Remembers(key) || failures.Remembers(NameOf(share, key))) return;
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
                if (e is TimeoutException && budget.IsWaiting(key) && !failures.Remembers(NameOf(share, key)))
                    failures.Remember(NameOf(share, key), new VendingException(FailureClass.Throttled, NoPermit));
                // That AWS refuses the gateway's own credentials is logged once, and not for each organization.
                if (e is not VendingException { Failure: FailureClass.Credentials }) Log.RenewalFailed(logger, inputs.Organization.Value, inputs.RoleArn, FailureText.Of(e));
            }
        }
    }

    // What lies in Redis may have been forgotten there while this process did not know it yet.
    private async Task<StoredCredentials?> ReadSharedAsync(string key) =>
        await forgotten.HasLookedAsync() ? await cache.ReadSharedAsync<StoredCredentials>(key) : null;

    // The sealed entry repeats whose it is: a key that ever came to stand for two organizations must not hand one the other's.
    private StoredCredentials? Own(VendInputs inputs, string key, StoredCredentials? entry)
    {
        if (entry is null || string.Equals(entry.OrganizationId, inputs.Organization.Value, StringComparison.Ordinal)) return entry;
        cache.Refused(key);
        return null;
    }

    private bool Keeps([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] StoredCredentials? entry, LifetimePromise promise) =>
        entry is not null && LifeOf(entry) >= promise.Floor + (IsYoung(entry, promise) ? TimeSpan.Zero : ClockTolerance);

    private TimeSpan LifeOf(StoredCredentials entry) => entry.Expiration - time.GetUtcNow();

    // So that a grant that is too short is not asked for again and again.
    private bool IsYoung(StoredCredentials entry, LifetimePromise promise) =>
        time.GetUtcNow() - entry.IssuedAt < (promise.RefreshAfter < LeastBetweenVends ? promise.RefreshAfter : LeastBetweenVends);

    // Also when it is about to fall below the floor: whoever comes then should not have to wait.
    private bool IsDue(StoredCredentials entry, LifetimePromise promise) =>
        time.GetUtcNow() - entry.IssuedAt >= promise.RefreshAfter * (1 - (0.1 * _spread)) || LifeOf(entry) < promise.Floor + (2 * ClockTolerance);

    private static partial class Log
    {
        [LoggerMessage(EventIds.GrantBelowFloor, LogLevel.Error,
            "STS granted a session of {Role} of {Granted} s, below the {Floor} s that its profile promises: callers get 503. Lengthen the role's maximum session or lower MinimumLifetime")]
        public static partial void GrantBelowFloor(ILogger logger, string role, double granted, double floor);

        [LoggerMessage(EventIds.ServedDegraded, LogLevel.Warning,
            "STS fails; {Organization} is served credentials of {Role} with {Left} s left, below what its profile promises")]
        public static partial void ServedDegraded(ILogger logger, string organization, string role, double left);

        [LoggerMessage(EventIds.RenewalFailed, LogLevel.Warning, "The credentials of {Organization} for {Role} could not be renewed yet ({Cause}); the ones at hand serve on")]
        public static partial void RenewalFailed(ILogger logger, string organization, string role, string cause);
    }
}
