using Gateway.Authentication.Keys;
using Gateway.Configuration;
using Gateway.Edge;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>
/// Counts refused tokens by the client's address, and locks an address out that sent too many: until the window is over, none of its tokens is checked.
/// A check is counted before it begins, so that requests at once do not overshoot, and given back when the token is good. One token counts once in a window,
/// however often it is sent, and is not checked again while its issuer's keys are those that it was refused under. Bounded in addresses and in tokens
/// remembered.
/// </summary>
internal sealed partial class FailedAuthentications(FailedAuthenticationsOptions options, TimeProvider time, ILogger<FailedAuthentications> logger)
{
    private const int MostClients = 8192;
    private const int MostRemembered = 128;
    private const int MostLinesInAMinute = 20;

    // One object for all tokens: what is remembered of a token is small.
    private static readonly Refusal s_badSignature = new(AuthenticateResult.Fail(new SecurityTokenInvalidSignatureException()), DateTimeOffset.MaxValue);
    private static readonly Refusal s_forGood = new(AuthenticateResult.Fail("it was refused before"), DateTimeOffset.MaxValue);
    private static readonly Refusal s_uncertain = s_forGood with { Until = default };

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Client> _clients = new(StringComparer.Ordinal);

    // In the order in which windows began, which is that in which they end.
    private readonly Queue<(Client Client, DateTimeOffset EndsAt)> _windows = new();

    private DateTimeOffset _minuteEnds;
    private int _lines;

    /// <summary>How many addresses have a count.</summary>
    public int Clients
    {
        get { lock (_lock) return _clients.Count; }
    }

    /// <summary>How long the client's address is locked out; null when it is not.</summary>
    public TimeSpan? LockedFor(HttpContext context)
    {
        lock (_lock)
        {
            if (_clients.Count == 0) return null;
            return _clients.TryGetValue(ClientAddress.Of(context), out var client) ? LockedFor(client, time.GetUtcNow()) : null;
        }
    }

    /// <summary>
    /// Begins the check of a token. While as many checks of the address are running as it has refusals left, further ones wait for one to end.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="token">The token.</param>
    /// <param name="keys">The keys of the token's issuer; null for an unknown issuer.</param>
    /// <returns>The check; null when the address is locked out.</returns>
    public async ValueTask<Check?> BeginAsync(HttpContext context, TokenKey token, IssuerKeys? keys)
    {
        while (true)
        {
            Task turn;
            lock (_lock)
            {
                var now = time.GetUtcNow();
                var address = ClientAddress.Of(context);
                if (!_clients.TryGetValue(address, out var client)) _clients[address] = client = new(address);
                if (LockedFor(client, now) is not null) return null;
                // What is refused from memory costs nothing and waits for nobody.
                var known = client.Refused.Find(each => each.Token == token.HashStart);
                var isKnown = known.Refusal is not null && known.Keys == keys?.Current && now < known.Refusal.Until;
                if (isKnown || client.Failures + client.Checking < options.PermitLimit)
                {
                    if (!isKnown) client.Checking++;
                    return new(this, client, token.HashStart, isKnown ? known : null);
                }

                var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                client.Waiting.Enqueue(waiting);
                turn = waiting.Task;
            }

            await turn.WaitAsync(context.RequestAborted);
        }
    }

    private TimeSpan? LockedFor(Client client, DateTimeOffset now)
    {
        if (client.Failures > 0 && client.EndsAt <= now)
        {
            client.Failures = 0;
            client.Refused.Clear();
        }

        return client.Failures >= options.PermitLimit ? client.EndsAt - now : null;
    }

    private void End(Client client, UInt128 token, bool isKnown, Refused? refused)
    {
        var locked = false;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (!isKnown) client.Checking--;
            _ = LockedFor(client, now);
            if (refused is { } again && client.Refused.FindIndex(each => each.Token == token) is >= 0 and var place)
            {
                client.Refused[place] = again;
            }
            else if (refused is { } first)
            {
                if (client.Failures++ == 0)
                {
                    client.EndsAt = now + options.Window;
                    _windows.Enqueue((client, client.EndsAt));
                }

                if (client.Refused.Count < MostRemembered) client.Refused.Add(first);
                locked = client.Failures == options.PermitLimit && MayLog(now);
            }

            // Whoever waits looks again.
            while (client.Waiting.TryDequeue(out var waiting)) waiting.TrySetResult();
            if (client.Failures == 0 && client.Checking == 0) Forget(client);
            while (_windows.TryPeek(out var oldest) && (oldest.EndsAt <= now || _windows.Count > MostClients))
            {
                _windows.Dequeue();
                // Its next window has a place of its own.
                if (oldest.Client.EndsAt == oldest.EndsAt) Forget(oldest.Client);
            }
        }

        if (locked) Log.LockedOut(logger, client.Address, options.PermitLimit, options.Window.TotalSeconds);
    }

    private void Withdraw(Client client, UInt128 token)
    {
        lock (_lock)
        {
            client.Failures -= client.Refused.RemoveAll(each => each.Token == token);
        }
    }

    private void Forget(Client client)
    {
        if (_clients.TryGetValue(client.Address, out var known) && known == client) _clients.Remove(client.Address);
    }

    private bool MayLog(DateTimeOffset now)
    {
        if (_minuteEnds <= now) (_minuteEnds, _lines) = (now + TimeSpan.FromMinutes(1), 0);
        return _lines++ < MostLinesInAMinute;
    }

    /// <summary>A check that has begun. Unless it says that the token was refused, it does not count.</summary>
    public sealed class Check : IDisposable
    {
        private readonly FailedAuthentications _failed;
        private readonly Client _client;
        private readonly UInt128 _token;
        private readonly Refused? _known;
        private Refused? _refused;
        private bool _hasEnded;

        internal Check(FailedAuthentications failed, Client client, UInt128 token, Refused? known) =>
            (_failed, _client, _token, _known) = (failed, client, token, known);

        /// <summary>How the token was refused under these keys before; null when it has to be checked.</summary>
        public AuthenticateResult? KnownUnder(PublishedKeys keys) => _known?.Keys == keys ? _known?.Refusal.Result : null;

        /// <summary>Says that the token was refused.</summary>
        /// <param name="result">The scheme's failure.</param>
        /// <param name="keys">The issuer's keys that it was checked with; null when there were none to check it with.</param>
        public void Refuse(AuthenticateResult result, PublishedKeys? keys) => _refused = new(_token, keys, result.Failure switch
        {
            SecurityTokenNotYetValidException { NotBefore: { Kind: DateTimeKind.Utc } from } =>
                s_forGood with { Until = new DateTimeOffset(from) - IssuerAuthentication.ClockSkew },
            SecurityTokenNotYetValidException => s_uncertain,
            SecurityTokenInvalidSignatureException => s_badSignature,
            SecurityTokenException or AuthenticationFailureException => s_forGood,
            // The next check may end in another way.
            _ => s_uncertain,
        });

        /// <summary>Takes back that the token counted, when it turns out that it was not to be refused.</summary>
        public void Withdraw() => _failed.Withdraw(_client, _token);

        public void Dispose()
        {
            if (_hasEnded) return;
            _hasEnded = true;
            _failed.End(_client, _token, _known is not null, _refused);
        }
    }

    /// <summary>A token that was refused, and under which keys of its issuer.</summary>
    internal readonly record struct Refused(UInt128 Token, PublishedKeys? Keys, Refusal Refusal);

    /// <summary>Why a token was refused, and until when a check under the same keys would refuse it again.</summary>
    internal sealed record Refusal(AuthenticateResult Result, DateTimeOffset Until);

    internal sealed class Client(string address)
    {
        public string Address => address;

        public int Failures { get; set; }

        public int Checking { get; set; }

        public DateTimeOffset EndsAt { get; set; }

        public List<Refused> Refused { get; } = [];

        public Queue<TaskCompletionSource> Waiting { get; } = new();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ClientLockedOut, LogLevel.Warning,
            "Client {Address} sent {Count} different tokens that were refused within {Seconds} s: until these are over its tokens get 429, "
            + "except those that were found good before")]
        public static partial void LockedOut(ILogger logger, string address, int count, double seconds);
    }
}
