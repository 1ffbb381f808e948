using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Networking;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>
/// Counts refused tokens per client address, and locks out an address that sent too many: until the window ends, none of its tokens is checked. A check is
/// counted before it begins, so that concurrent requests do not exceed the limit, and is uncounted when the token is valid. Checks that ask a server are
/// counted apart: a local check takes microseconds, and would wait for them. A token counts once per window, however often it is sent, and is not checked again
/// while its issuer's keys are the ones that it was refused under. A token of an unknown key counts once a fetch of the keys has missed it, and no longer once
/// the keys have changed. The number of addresses and of cached refusals is bounded.
/// </summary>
internal sealed partial class AuthenticationThrottle(FailedAuthenticationsOptions options, TimeProvider time, ILogger<AuthenticationThrottle> logger)
{
    private const int MostClients = 8192;

    // A cached refusal takes about 100 bytes. Each client has room for RefusalsOfAClient, and for more while all clients together have fewer than RefusalsOfAll.
    private const int RefusalsOfAClient = 128;
    private const int RefusalsOfAll = 256 * 1024;
    private const int MostLinesInAMinute = 20;
    private static readonly TimeSpan s_minute = TimeSpan.FromMinutes(1);

    // They are the same for all tokens, so a cached refusal is small.
    private static readonly AuthenticateResult s_badSignature = AuthenticateResult.Fail(new SecurityTokenInvalidSignatureException());
    private static readonly AuthenticateResult s_unknownKey = AuthenticateResult.Fail(new SecurityTokenSignatureKeyNotFoundException());

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Client> _clients = new(StringComparer.Ordinal);

    // Ordered by the begin of the window, which is also the order of their ends. All times but those of tokens are timestamps, so that setting the clock
    // changes nothing.
    private readonly Queue<(Client Client, long Begun)> _windows = new();

    private int _refusals;
    private long? _minuteBegun;
    private int _lines;

    /// <summary>The number of addresses that have a count.</summary>
    public int Clients
    {
        get { lock (_lock) return _clients.Count; }
    }

    private long Now => time.GetTimestamp();

    /// <summary>The throttle of the request's listener: this one for the edge. The management listener counts refusals in one of its own.</summary>
    public AuthenticationThrottle ForListenerOf(HttpContext context) => context.Features.Get<AuthenticationThrottle>() ?? this;

    /// <summary>How long the client's address stays locked out; null when it is not locked out.</summary>
    public TimeSpan? LockedFor(HttpContext context)
    {
        lock (_lock)
        {
            if (_clients.Count == 0) return null;
            return _clients.TryGetValue(ClientAddress.Of(context), out var client) ? LockedFor(client) : null;
        }
    }

    /// <summary>
    /// Begins the check of a token. If the running checks of the address, of the same kind, already use up its remaining refusals, the call waits until one of
    /// them ends.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="token">The token.</param>
    /// <param name="keys">The keys of the token's issuer; null for an unknown issuer.</param>
    /// <param name="isRemote">Whether the check asks a server about the token.</param>
    /// <returns>The check; null when the address is locked out.</returns>
    public async ValueTask<Check?> BeginAsync(HttpContext context, TokenKey token, IssuerKeys? keys, bool isRemote = false)
    {
        while (true)
        {
            TaskCompletionSource waiting;
            Client? client;
            lock (_lock)
            {
                var address = ClientAddress.Of(context);
                if (!_clients.TryGetValue(address, out client)) _clients[address] = client = new(address);
                if (LockedFor(client) is not null) return null;
                // A refusal from the cache needs no check, and does not wait.
                var isKnown = client.Refused.TryGetValue(token.HashStart, out var known) && known.Keys == keys?.Current && time.GetUtcNow() < known.Until;
                var checks = isRemote ? client.Remote : client.Local;
                if (isKnown || client.Failures + checks.Running < options.PermitLimit)
                {
                    if (!isKnown) checks.Running++;
                    return new(this, client, checks, token.HashStart, isKnown ? known : null);
                }

                waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                checks.Waiting.Enqueue(waiting);
            }

            try
            {
                await waiting.Task.WaitAsync(context.RequestAborted);
            }
            catch (OperationCanceledException)
            {
                // If it has just been woken, another one has its turn.
                if (!waiting.TrySetCanceled())
                    lock (_lock) Wake(client);
                throw;
            }
        }
    }

    private TimeSpan? LockedFor(Client client)
    {
        EndExpiredWindow(client);
        Settle(client);
        return client.Failures >= options.PermitLimit ? options.Window - time.GetElapsedTime(client.Begun) : null;
    }

    private void EndExpiredWindow(Client client)
    {
        if (client.HasWindow && HasEnded(client.Begun)) Clear(client);
    }

    private void Clear(Client client)
    {
        client.Failures = 0;
        _refusals -= client.Refused.Count + client.Unknown.Values.Sum(static unknown => unknown.Tokens.Count);
        client.Refused.Clear();
        client.Unknown.Clear();
    }

    private void BeginWindow(Client client)
    {
        if (client.HasWindow) return;
        client.Begun = time.GetTimestamp();
        _windows.Enqueue((client, client.Begun));
    }

    private bool HasRoom(int refusals) => refusals < RefusalsOfAClient || _refusals < RefusalsOfAll;

    private void Count(Client client, UInt128 token, Refused refused)
    {
        BeginWindow(client);
        client.Failures++;
        if (HasRoom(client.Refused.Count))
        {
            client.Refused.Add(token, refused);
            _refusals++;
        }

        if (client.Failures == options.PermitLimit && MayLog()) Log.LockedOut(logger, client.Address, options.PermitLimit, options.Window.TotalSeconds);
    }

    // Counts the postponed tokens that a fetch has missed since, and lifts the refusals of issuers whose keys have changed.
    private void Settle(Client client)
    {
        foreach (var (issuer, unknown) in client.Unknown)
        {
            var isMissed = issuer.WasReadSince(unknown.Last);
            var hasChanged = issuer.Current != unknown.Keys;
            if (!isMissed && !hasChanged) continue;
            UInt128[] missed = [.. unknown.Tokens];
            _refusals -= missed.Length;
            unknown.Tokens.Clear();
            if (hasChanged)
            {
                Lift(client, issuer);
                continue;
            }

            foreach (var token in missed)
            {
                if (!client.Refused.ContainsKey(token))
                    Count(client, token, new(unknown.Keys, s_unknownKey, DateTimeOffset.MaxValue, issuer, unknown.Last));
            }
        }
    }

    private void Lift(Client client, IssuerKeys issuer)
    {
        client.Unknown.Remove(issuer);
        foreach (var (token, refused) in client.Refused)
        {
            if (refused.Issuer != issuer) continue;
            client.Refused.Remove(token);
            client.Failures--;
            _refusals--;
        }
    }

    private void Postpone(Client client, UInt128 token, IssuerKeys issuer, PublishedKeys keys)
    {
        lock (_lock)
        {
            EndExpiredWindow(client);
            Settle(client);
            var unknown = UnknownOf(client, issuer, keys);
            // As many as lock the address out are enough.
            if (unknown.Tokens.Count >= options.PermitLimit || !HasRoom(client.Refused.Count + unknown.Tokens.Count)) return;
            if (unknown.Keys != keys || client.Refused.ContainsKey(token) || !unknown.Tokens.Add(token)) return;
            unknown.Last = time.GetTimestamp();
            _refusals++;
        }
    }

    private UnknownKeys UnknownOf(Client client, IssuerKeys issuer, PublishedKeys? keys)
    {
        if (client.Unknown.TryGetValue(issuer, out var unknown)) return unknown;
        BeginWindow(client);
        return client.Unknown[issuer] = new(keys);
    }

    private bool HasEnded(long begun) => time.GetElapsedTime(begun) >= options.Window;

    private void End(Client client, Checks checks, UInt128 token, bool isKnown, Refused? refused)
    {
        lock (_lock)
        {
            if (!isKnown) checks.Running--;
            EndExpiredWindow(client);
            if (refused is { } again && client.Refused.ContainsKey(token))
            {
                client.Refused[token] = again;
            }
            else if (refused is { } first)
            {
                if (first.Issuer is { } issuer) UnknownOf(client, issuer, first.Keys);
                Count(client, token, first);
            }

            Wake(client);
            if (!client.HasWindow && client.IsIdle) Remove(client);
            while (_windows.TryPeek(out var oldest) && (HasEnded(oldest.Begun) || _windows.Count > MostClients))
            {
                _windows.Dequeue();
                // A client whose next window has begun has another entry in the queue. One with a check under way is removed when that ends.
                if (oldest.Client.Begun != oldest.Begun) continue;
                Clear(oldest.Client);
                if (oldest.Client.IsIdle) Remove(oldest.Client);
                else Wake(oldest.Client);
            }
        }
    }

    // As many of the waiting requests check the limit again as it has room for: each wakes others when its check ends. All do once the address is locked out.
    private void Wake(Client client)
    {
        var isLocked = LockedFor(client) is not null;
        foreach (var checks in (ReadOnlySpan<Checks>)[client.Local, client.Remote])
        {
            var room = isLocked ? int.MaxValue : options.PermitLimit - client.Failures - checks.Running;
            while (room > 0 && checks.Waiting.TryDequeue(out var waiting))
                if (waiting.TrySetResult()) room--;
        }
    }

    private void Withdraw(Client client, UInt128 token)
    {
        lock (_lock)
        {
            if (!client.Refused.Remove(token)) return;
            client.Failures--;
            _refusals--;
            Wake(client);
        }
    }

    private void Remove(Client client)
    {
        if (_clients.TryGetValue(client.Address, out var known) && known == client) _clients.Remove(client.Address);
        Clear(client);
        foreach (var checks in (ReadOnlySpan<Checks>)[client.Local, client.Remote])
            while (checks.Waiting.TryDequeue(out var waiting)) waiting.TrySetResult();
    }

    private bool MayLog()
    {
        if (_minuteBegun is not { } begun || time.GetElapsedTime(begun) >= s_minute) (_minuteBegun, _lines) = (time.GetTimestamp(), 0);
        return _lines++ < MostLinesInAMinute;
    }

    /// <summary>A check that has begun. It counts only if <see cref="Refuse"/> was called.</summary>
    public sealed class Check : IDisposable
    {
        private readonly AuthenticationThrottle _throttle;
        private readonly Client _client;
        private readonly Checks _checks;
        private readonly UInt128 _token;
        private readonly Refused? _known;
        private Refused? _refused;
        private bool _hasEnded;

        internal Check(AuthenticationThrottle throttle, Client client, Checks checks, UInt128 token, Refused? known) =>
            (_throttle, _client, _checks, _token, _known) = (throttle, client, checks, token, known);

        /// <summary>The earlier refusal of the token under these keys; null when the token has to be checked.</summary>
        public AuthenticateResult? KnownUnder(PublishedKeys keys) => _known?.Keys == keys ? _known?.Result : null;

        /// <summary>Records that the token was refused.</summary>
        /// <param name="result">The scheme's failure.</param>
        /// <param name="keys">The issuer's keys that it was checked with; null if it was checked without keys.</param>
        /// <param name="clockSkew">The clock skew of the token's scheme.</param>
        /// <param name="issuer">The issuer whose next keys lift the refusal, because its key was not among these; null if they do not.</param>
        public void Refuse(AuthenticateResult result, PublishedKeys? keys, TimeSpan clockSkew, IssuerKeys? issuer = null)
        {
            var failure = result.Failure!;
            // The entry stays as it is.
            if (failure is RepeatedRefusal) return;
            // A signature can become valid under a key that is published later, so this result has to be known again.
            var kept = failure switch
            {
                SecurityTokenSignatureKeyNotFoundException => s_unknownKey,
                SecurityTokenInvalidSignatureException => s_badSignature,
                _ => RepeatedRefusal.Of(RefusalText.WordOf(failure)),
            };
            _refused = new(keys, kept, failure switch
            {
                SecurityTokenNotYetValidException { NotBefore: { Kind: DateTimeKind.Utc } from } => new DateTimeOffset(from) - clockSkew,
                SecurityTokenNotYetValidException => default,
                SecurityTokenException or AuthenticationFailureException => DateTimeOffset.MaxValue,
                // Another exception may be temporary: the next check can have another result.
                _ => default,
            }, issuer, _known?.At ?? _throttle.Now);
        }

        /// <summary>Counts the token as refused if the next fetch of its issuer's keys does not change them.</summary>
        public void Postpone(IssuerKeys issuer, PublishedKeys keys) => _throttle.Postpone(_client, _token, issuer, keys);

        /// <summary>Whether the issuer's keys were read after the token was first refused.</summary>
        public bool WasReadSince(IssuerKeys issuer) => _known is { } known && issuer.WasReadSince(known.At);

        /// <summary>Removes the token from the count, when it turns out to be valid after all.</summary>
        public void Withdraw() => _throttle.Withdraw(_client, _token);

        public void Dispose()
        {
            if (_hasEnded) return;
            _hasEnded = true;
            _throttle.End(_client, _checks, _token, _known is not null, _refused);
        }
    }

    /// <summary>
    /// The refusal of a token, the keys of its issuer at the time, until when a check under the same keys would refuse it again, the issuer whose next keys
    /// lift it, and when it was first made, as a timestamp.
    /// </summary>
    internal readonly record struct Refused(PublishedKeys? Keys, AuthenticateResult Result, DateTimeOffset Until, IssuerKeys? Issuer, long At);

    /// <summary>A client's tokens of keys that are not among these of their issuer.</summary>
    internal sealed class UnknownKeys(PublishedKeys? keys)
    {
        public PublishedKeys? Keys => keys;

        /// <summary>The tokens that are not counted yet.</summary>
        public HashSet<UInt128> Tokens { get; } = [];

        /// <summary>When the last of them arrived, as a timestamp.</summary>
        public long Last { get; set; }
    }

    internal sealed class Client(string address)
    {
        public string Address => address;

        public int Failures { get; set; }

        /// <summary>The checks that need only the token and its issuer's keys.</summary>
        public Checks Local { get; } = new();

        /// <summary>The checks that ask a server.</summary>
        public Checks Remote { get; } = new();

        public bool IsIdle => Local.Running == 0 && Remote.Running == 0;

        /// <summary>When the window began, as a timestamp.</summary>
        public long Begun { get; set; }

        /// <summary>By the token's hash.</summary>
        public Dictionary<UInt128, Refused> Refused { get; } = [];

        public Dictionary<IssuerKeys, UnknownKeys> Unknown { get; } = [];

        public bool HasWindow => Failures > 0 || Unknown.Count > 0;
    }

    /// <summary>The checks of one client that are under way, and the requests that wait until one of them ends.</summary>
    internal sealed class Checks
    {
        public int Running { get; set; }

        public Queue<TaskCompletionSource> Waiting { get; } = new();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ClientLockedOut, LogLevel.Warning,
            "Client {Address} sent {Count} different tokens that were refused within {Seconds} s: until these are over its tokens get 429, "
            + "except those that were found good before", EventName = nameof(EventIds.ClientLockedOut))]
        public static partial void LockedOut(ILogger logger, string address, int count, double seconds);
    }
}
