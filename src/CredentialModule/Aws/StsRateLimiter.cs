using IotCredentials.Telemetry;
using Microsoft.Extensions.Options;

namespace IotCredentials.Aws;

/// <summary>The key by which permits are shared fairly: round-robin over callers and, within a caller, over its organizations.</summary>
/// <param name="Caller">The caller that waits for the call.</param>
/// <param name="Organization">The organization that the call is for.</param>
internal readonly record struct FairnessKey(string Caller, string Organization);

/// <summary>
/// Limits this process's calls to STS, per second and concurrently (<see cref="StsOptions"/>). Further calls wait for a permit, fairly between callers and,
/// within a caller, between organizations.
/// </summary>
internal sealed class StsRateLimiter : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FairQueue<Ticket> _waiting = new();
    private readonly Dictionary<string, Call> _calls = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ITimer _wake;
    private readonly int _perSecond;
    private readonly int _mostConcurrent;

    // The most permits that accumulate while there are no calls: a tenth of a second's worth, so that no second has many more calls than the limit.
    private readonly double _mostPermits;

    private double _permits;
    private long _countedAt;
    private int _underWay;

    public StsRateLimiter(IOptions<IotCredentialsOptions> options, TimeProvider time, CredentialMetrics metrics)
    {
        _time = time;
        _perSecond = options.Value.Sts.PermitsPerSecond;
        _mostConcurrent = options.Value.Sts.MaxConcurrent;
        _permits = _mostPermits = Math.Max(1, _perSecond / 10.0);
        _countedAt = time.GetTimestamp();
        _wake = time.CreateTimer(_ => ServeLocked(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics.ObserveLimit(_perSecond);
        metrics.ObserveWaiting(() => _waiting.Count);
    }

    /// <summary>
    /// Registers a caller that waits for a call, until the returned object is disposed. The call is served when the first of its callers comes round, so that
    /// no caller waits behind another caller's burst.
    /// </summary>
    public IDisposable Join(string call, FairnessKey share)
    {
        lock (_lock)
        {
            if (!_calls.TryGetValue(call, out var waited)) _calls.Add(call, waited = new Call());
            if (waited.Join(share) && waited.Ticket is { } ticket) Enqueue(share, ticket);
        }

        return new Once(() => Leave(call, share));
    }

    /// <summary>Whether a call waits for its permit.</summary>
    public bool IsWaiting(string call)
    {
        lock (_lock) return _calls.GetValueOrDefault(call)?.Ticket is not null;
    }

    /// <summary>Whether any caller waits for a call.</summary>
    public bool IsWanted(string call)
    {
        lock (_lock) return _calls.ContainsKey(call);
    }

    /// <summary>Waits for a permit to make a call. Disposing the permit returns it.</summary>
    /// <exception cref="OperationCanceledException">No caller waits for the call any more.</exception>
    public async Task<IDisposable> AcquireAsync(string call)
    {
        Task<IDisposable> permit;
        lock (_lock)
        {
            if (!_calls.TryGetValue(call, out var waited)) throw new OperationCanceledException("Nobody waits for the call.");
            waited.Ticket?.GiveUp();
            var ticket = waited.Ticket = new Ticket(this, waited);
            foreach (var share in waited.Shares) Enqueue(share, ticket);
            permit = ticket.Permit;
        }

        return await permit;
    }

    private void Enqueue(FairnessKey share, Ticket ticket)
    {
        _waiting.Enqueue(share.Caller, share.Organization, ticket);
        Serve();
    }

    private void Leave(string call, FairnessKey share)
    {
        lock (_lock)
        {
            var waited = _calls[call];
            if (!waited.Leave(share)) return;
            _calls.Remove(call);
            waited.Ticket?.GiveUp();
        }
    }

    public void Dispose() => _wake.Dispose();

    private void Serve()
    {
        var now = _time.GetTimestamp();
        _permits = Math.Min(_mostPermits, _permits + (_time.GetElapsedTime(_countedAt, now).TotalSeconds * _perSecond));
        _countedAt = now;
        while (_permits >= 1 && _underWay < _mostConcurrent && _waiting.Dequeue(static ticket => ticket.TryServe()) is not null)
        {
            _permits--;
            _underWay++;
        }

        if (_waiting.Count > 0 && _underWay < _mostConcurrent)
            _wake.Change(TimeSpan.FromSeconds(Math.Max(0, 1 - _permits) / _perSecond), Timeout.InfiniteTimeSpan);
    }

    private void ServeLocked()
    {
        lock (_lock) Serve();
    }

    private void Return()
    {
        lock (_lock)
        {
            _underWay--;
            Serve();
        }
    }

    /// <summary>A call, and the keys of the callers that wait for it.</summary>
    private sealed class Call
    {
        private readonly Dictionary<FairnessKey, int> _callers = [];

        public IEnumerable<FairnessKey> Shares => _callers.Keys;

        /// <summary>The call's place in the queue; null while it does not wait for a permit.</summary>
        public Ticket? Ticket { get; set; }

        /// <summary>True if the caller is the first with this key.</summary>
        public bool Join(FairnessKey share) => (_callers[share] = _callers.GetValueOrDefault(share) + 1) == 1;

        /// <summary>True if no caller remains.</summary>
        public bool Leave(FairnessKey share)
        {
            if (--_callers[share] == 0) _callers.Remove(share);
            return _callers.Count == 0;
        }
    }

    private sealed class Ticket(StsRateLimiter limiter, Call call)
    {
        private readonly TaskCompletionSource<IDisposable> _permit = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<IDisposable> Permit => _permit.Task;

        public bool TryServe()
        {
            if (!_permit.TrySetResult(new Once(limiter.Return))) return false;
            if (call.Ticket == this) call.Ticket = null;
            return true;
        }

        public void GiveUp() => _permit.TrySetCanceled();
    }

    /// <summary>Runs an action at the first Dispose only.</summary>
    private sealed class Once(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
    }
}
