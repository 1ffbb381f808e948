using CredentialModule.Telemetry;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>A share of the budget. Callers take turns, and within a caller its organizations.</summary>
/// <param name="Caller">The caller that waits for the call.</param>
/// <param name="Organization">The organization that it is for.</param>
internal readonly record struct BudgetShare(string Caller, string Organization);

/// <summary>
/// What this process may ask of STS: so many calls a second, so many at once (<see cref="StsOptions"/>). Calls beyond wait for a permit, fairly
/// between callers and within a caller between organizations.
/// </summary>
internal sealed class StsBudget : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FairQueue<Ticket> _waiting = new();
    private readonly Dictionary<string, Call> _calls = new(StringComparer.Ordinal);
    private readonly TimeProvider _time;
    private readonly ITimer _wake;
    private readonly int _perSecond;
    private readonly int _mostConcurrent;

    // What may be saved up while nobody calls: a tenth of a second's worth, so that no second sees much more than its share.
    private readonly double _mostPermits;

    private double _permits;
    private long _countedAt;
    private int _underWay;

    public StsBudget(IOptions<IotCredentialsOptions> options, TimeProvider time, CredentialMetrics metrics)
    {
        _time = time;
        _perSecond = options.Value.Sts.PermitsPerSecond;
        _mostConcurrent = options.Value.Sts.MaxConcurrent;
        _permits = _mostPermits = Math.Max(1, _perSecond / 10.0);
        _countedAt = time.GetTimestamp();
        _wake = time.CreateTimer(_ => ServeLocked(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics.ObserveWaiting(() => _waiting.Count);
    }

    /// <summary>
    /// Says that a caller waits for a call, until what is returned is disposed of. The call takes the place of whichever of its callers comes round first,
    /// so that nobody waits behind another caller's storm.
    /// </summary>
    public IDisposable Join(string call, BudgetShare share)
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

    /// <summary>Whether a caller waits for a call.</summary>
    public bool IsWanted(string call)
    {
        lock (_lock) return _calls.ContainsKey(call);
    }

    /// <summary>Waits for the permit to make a call; disposing of it returns it.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for the call any more.</exception>
    public async Task<IDisposable> PermitAsync(string call)
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

    private void Enqueue(BudgetShare share, Ticket ticket)
    {
        _waiting.Enqueue(share.Caller, share.Organization, ticket);
        Serve();
    }

    private void Leave(string call, BudgetShare share)
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

        if (_waiting.Count > 0 && _underWay < _mostConcurrent) _wake.Change(TimeSpan.FromSeconds(Math.Max(0, 1 - _permits) / _perSecond), Timeout.InfiniteTimeSpan);
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

    /// <summary>A call, and the shares of the callers that wait for it.</summary>
    private sealed class Call
    {
        private readonly Dictionary<BudgetShare, int> _callers = [];

        public IEnumerable<BudgetShare> Shares => _callers.Keys;

        /// <summary>Its place in the queue; null while it does not wait for a permit.</summary>
        public Ticket? Ticket { get; set; }

        /// <summary>True for the first caller of a share.</summary>
        public bool Join(BudgetShare share) => (_callers[share] = _callers.GetValueOrDefault(share) + 1) == 1;

        /// <summary>True for the last caller of all.</summary>
        public bool Leave(BudgetShare share)
        {
            if (--_callers[share] == 0) _callers.Remove(share);
            return _callers.Count == 0;
        }
    }

    private sealed class Ticket(StsBudget budget, Call call)
    {
        private readonly TaskCompletionSource<IDisposable> _permit = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<IDisposable> Permit => _permit.Task;

        public bool TryServe()
        {
            if (!_permit.TrySetResult(new Once(budget.Return))) return false;
            if (call.Ticket == this) call.Ticket = null;
            return true;
        }

        public void GiveUp() => _permit.TrySetCanceled();
    }

    /// <summary>Does something once.</summary>
    private sealed class Once(Action end) : IDisposable
    {
        private Action? _end = end;

        public void Dispose() => Interlocked.Exchange(ref _end, null)?.Invoke();
    }
}
