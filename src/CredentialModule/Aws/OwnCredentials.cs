using Amazon.Runtime;
using Amazon.SecurityToken.Model;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>
/// The gateway's own credentials, which sign its calls. If they are missing, or AWS rejects them, that is a condition of this process, or of a region, and not
/// of each organization: it is logged once for each region with the remedy, retried by one call every two seconds, and logged once when it is over.
/// </summary>
internal sealed class OwnCredentials : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(2);

    // If a call was last refused this long ago and has not been made since, it counts as recovered once AWS knows the caller.
    private static readonly TimeSpan s_idle = TimeSpan.FromMinutes(1);

    // AWS may reject the credentials in one region, such as one that the account has not enabled, and accept them in the others.
    private static readonly TimeSpan s_pauseBeforeReplacement = TimeSpan.FromMinutes(1);

    // Two sessions can be revoked at once: the one in use, and the one that was just renewed.
    private const int MostRereads = 2;

    // The key for a failing source, which is independent of region and call.
    private static readonly (string Region, string Call) s_source = ("", "");

    private readonly AwsClients _clients;
    private readonly CredentialSource _source;
    private readonly IOptions<AwsClientOptions> _options;
    private readonly IOptions<IotCredentialsOptions> _module;
    private readonly TimeProvider _time;
    private readonly ILogger<OwnCredentials> _logger;

    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Region, string Call), Refusal> _refused = [];
    private readonly HashSet<string> _loggedMessages = new(StringComparer.Ordinal);
    // The calls that AWS has accepted since the credentials were replaced.
    private readonly HashSet<(string Region, string Call)> _acceptedCalls = [];
    private ImmutableCredentials? _accepted;
    private long? _replacedAt;
    private long _begun;
    private bool _isWatched;

    public OwnCredentials(
        AwsClients clients, CredentialSource source, IOptions<AwsClientOptions> options, IOptions<IotCredentialsOptions> module, TimeProvider time,
        CredentialMetrics metrics, ILogger<OwnCredentials> logger)
    {
        (_clients, _source, _options, _module, _time, _logger) = (clients, source, options, module, time, logger);
        metrics.ObserveCredentials(() => Problem is null);
    }

    /// <summary>
    /// The reason why AWS rejects the gateway's credentials, and the remedy; null while AWS accepts them, as far as is known. Also null if AWS rejects them for
    /// one call, such as in a region that the account has not enabled, and has accepted them for another since.
    /// </summary>
    public string? Problem
    {
        get { lock (_lock) return _refused.Values.FirstOrDefault(static refusal => !refusal.IsOfThisCallAlone)?.Failure.Message; }
    }

    /// <exception cref="VendingException">AWS rejects the gateway's credentials for this call, and the next retry is not due yet.</exception>
    public void ThrowIfRefused(string region, string call) => ThrowIfRefused(region, call, isTrial: false);

    /// <summary>Makes a call signed with the gateway's own credentials. If AWS rejects them, retries up to twice with newly read ones that differ.</summary>
    /// <param name="region">The region.</param>
    /// <param name="call">The action, such as <c>sts:AssumeRole</c>.</param>
    /// <param name="address">The address that is called, if it is known.</param>
    /// <param name="use">The call.</param>
    /// <param name="cancellation">Cancels the wait for credentials.</param>
    /// <exception cref="VendingException">The call failed.</exception>
    public async Task<T> UseAsync<T>(string region, string call, Uri? address, Func<AWSCredentials, Task<T>> use, CancellationToken cancellation)
    {
        ThrowIfRefused(region, call, isTrial: true);
        var begun = _time.GetTimestamp();
        var found = await FindAsync(cancellation);
        for (var rereads = 0; ; rereads++)
        {
            try
            {
                var result = await use(found.Fixed);
                RecordAcceptedCall((region, call), found.Values, begun);
                EndRefusal((region, call), begun);
                return result;
            }
            catch (Exception e) when (AwsErrorMapper.OfCredentials(e) is { } failure)
            {
                if (rereads == MostRereads) throw RecordRefusal((region, call), failure);
                var refused = found;
                try
                {
                    found = await RereadAsync((region, call), begun, refused, isCheck: false, cancellation);
                }
                catch (Exception unread)
                {
                    // AWS may accept the present credentials for other calls, so this is no failure of the source for them.
                    throw RecordRefusal((region, call), new(failure.Failure, $"{failure.Message}; reading others failed: {FailureOf(unread).Message}"));
                }

                if (IsSame(found, refused)) throw RecordRefusal((region, call), failure);
            }
            catch (Exception e)
            {
                throw AwsErrorMapper.From(e, call, address);
            }
        }
    }

    /// <summary>The current credentials.</summary>
    /// <exception cref="VendingException">No credentials are available.</exception>
    public async Task<FoundCredentials> FindAsync(CancellationToken cancellation)
    {
        var begun = _time.GetTimestamp();
        try
        {
            var found = await _source.FindAsync(cancellation);
            EndRefusal(s_source, begun);
            return found;
        }
        catch (Exception e)
        {
            var failure = FailureOf(e);
            throw failure.Failure == FailureClass.Credentials ? RecordRefusal(s_source, failure) : failure;
        }
    }

    // Credentials that AWS rejects for one call and accepts for another are replaced once a minute at most: others would mend nothing. So are those of the
    // checks without callers, of which there is one for each refused call.
    private Task<FoundCredentials> RereadAsync(
        (string Region, string Call) key, long begun, FoundCredentials refused, bool isCheck, CancellationToken cancellation)
    {
        return _source.RereadAsync(refused, MayReplace, cancellation);

        bool MayReplace()
        {
            lock (_lock)
            {
                var mustWait = isCheck || (_acceptedCalls.Count > 0 && !_acceptedCalls.Contains(key) && refused.Values.Equals(_accepted));
                // A call from before the last replacement was signed with what has been replaced.
                if (_replacedAt is { } at && (begun <= at || (mustWait && _time.GetElapsedTime(at) < s_pauseBeforeReplacement))) return false;
                _acceptedCalls.Clear();
                _replacedAt = _time.GetTimestamp();
                return true;
            }
        }
    }

    private void RecordAcceptedCall((string Region, string Call) key, ImmutableCredentials credentials, long begun)
    {
        lock (_lock)
        {
            foreach (var (refused, refusal) in _refused)
            {
                if (refused != key && refused != s_source && begun >= refusal.FirstAt) refusal.IsOfThisCallAlone = true;
            }

            if (!credentials.Equals(_accepted)) _acceptedCalls.Clear();
            _accepted = credentials;
            _acceptedCalls.Add(key);
        }
    }

    private VendingException FailureOf(Exception error) => SourceFailure.Of(error, _options.Value.Credentials is not null, AwsSources.OfProcess());

    private void ThrowIfRefused(string region, string call, bool isTrial)
    {
        lock (_lock)
        {
            foreach (var key in ((string, string)[])[s_source, (region, call)])
            {
                if (!_refused.TryGetValue(key, out var known)) continue;
                var left = s_interval - _time.GetElapsedTime(known.TriedAt);
                if (left > TimeSpan.Zero) throw new VendingException(known.Failure.Failure, known.Failure.Message, left);
                // This call is the retry, and the others wait for its outcome.
                if (isTrial) known.TriedAt = _time.GetTimestamp();
            }
        }
    }

    private VendingException RecordRefusal((string Region, string Call) key, VendingException failure)
    {
        lock (_lock)
        {
            if (_ended.IsCancellationRequested) return failure;
            if (_refused.Count == 0) _begun = _time.GetTimestamp();
            if (!_isWatched)
            {
                _isWatched = true;
                _ = WatchAsync();
            }

            // The calls of a vend in one region run together, and may be refused one after the other.
            var before = _refused.GetValueOrDefault(key)
                ?? (key == s_source ? null : _refused.FirstOrDefault(refused => refused.Key.Region == key.Region).Value);
            _refused[key] = new(failure, _time.GetTimestamp(), before);
            var where = key == s_source ? "" : $" in {key.Region}";
            if (_loggedMessages.Add(failure.Message + where)) Log.CredentialsRefused(_logger, failure.Message, where);
        }

        return new(failure.Failure, failure.Message, s_interval);
    }

    // Ends a refusal. The success of a call that began before the refusal does not count: it was signed before the problem appeared.
    private void EndRefusal((string Region, string Call) key, long begun)
    {
        lock (_lock)
        {
            if (!_refused.TryGetValue(key, out var known) || begun < known.At) return;
            _refused.Remove(key);
            if (_refused.Count > 0) return;
            _loggedMessages.Clear();
            Log.CredentialsTaken(_logger, (long)_time.GetElapsedTime(_begun).TotalSeconds);
        }
    }

    /// <summary>Detects recovery when no caller makes the refused call.</summary>
    private async Task WatchAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(s_interval, _time, _ended.Token);
                (string Region, string Call)[] due;
                lock (_lock)
                {
                    if (_refused.Count == 0)
                    {
                        _isWatched = false;
                        return;
                    }

                    due = [.. _refused.Where(pair => pair.Key == s_source || _time.GetElapsedTime(pair.Value.At) >= s_idle).Select(pair => pair.Key)];
                }

                foreach (var key in due) await CheckAsync(key);
            }
        }
        catch (OperationCanceledException) when (_ended.IsCancellationRequested)
        {
            // The process is shutting down.
        }
    }

    private async Task CheckAsync((string Region, string Call) key)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        deadline.CancelAfter(_module.Value.WorkTimeout);
        var begun = _time.GetTimestamp();
        FoundCredentials? found = null;
        try
        {
            if (key == s_source)
            {
                await _source.RereadAsync(null, static () => true, deadline.Token);
            }
            else
            {
                found = await _source.FindAsync(deadline.Token);
                using var sts = _clients.Sts(key.Region, found.Fixed);
                await sts.GetCallerIdentityAsync(new GetCallerIdentityRequest(), deadline.Token);
            }

            EndRefusal(key, begun);
        }
        catch (Exception e) when (!_ended.IsCancellationRequested)
        {
            var failure = key == s_source ? FailureOf(e) : AwsErrorMapper.OfCredentials(e) ?? AwsErrorMapper.From(e, "sts:GetCallerIdentity");
            if (failure.Failure == FailureClass.Credentials)
            {
                RecordRefusal(key, failure);
                // The next check uses what is found.
                if (found is not null) _ = RereadAsync(key, begun, found, isCheck: true, _ended.Token).ObserveException();
            }
            // A denied call shows that AWS knows the caller.
            else if (failure.Failure == FailureClass.Refused) EndRefusal(key, begun);
        }
    }

    private static bool IsSame(FoundCredentials one, FoundCredentials other) =>
        one.Values.AccessKey == other.Values.AccessKey && one.Values.SecretKey == other.Values.SecretKey && one.Values.Token == other.Values.Token;

    public void Dispose() => _ended.Cancel();

    private sealed class Refusal(VendingException failure, long at, Refusal? before)
    {
        public VendingException Failure { get; } = failure;

        public long At { get; } = at;

        public long FirstAt { get; } = before?.FirstAt ?? at;

        public long TriedAt { get; set; } = at;

        /// <summary>Whether AWS has accepted the credentials for another call since the first refusal.</summary>
        public bool IsOfThisCallAlone { get; set; } = before?.IsOfThisCallAlone ?? false;
    }
}
