using CredentialModule.Telemetry;
using Microsoft.Extensions.Options;

namespace CredentialModule.Vending;

/// <summary>Whose turn a call to STS is counted as.</summary>
/// <param name="Caller">The caller whose request made the call necessary.</param>
/// <param name="Organization">The organization that it is for.</param>
internal readonly record struct BudgetShare(string Caller, string Organization);

/// <summary>
/// What this process may ask of STS: so many calls a second, so many at once (<see cref="StsOptions"/>). Calls beyond wait their turn, fairly
/// between callers and within a caller between organizations.
/// </summary>
internal sealed class StsBudget : IDisposable
{
    private readonly Lock _lock = new();
    private readonly FairQueue<Ticket> _waiting = new();
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
        _wake = time.CreateTimer(_ => Locked(Serve), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        metrics.ObserveWaiting(() => _waiting.Count);
    }

    /// <summary>Waits for a turn; it is given back when what is returned is disposed of.</summary>
    public async Task<IDisposable> TurnAsync(BudgetShare share, CancellationToken cancellation)
    {
        var ticket = new Ticket(this);
        Locked(() =>
        {
            _waiting.Enqueue(share.Caller, share.Organization, ticket);
            Serve();
        });
        await using (cancellation.UnsafeRegister(static ticket => ((Ticket)ticket!).GiveUp(), ticket)) return await ticket.Turn;
    }

    public void Dispose() => _wake.Dispose();

    private void Locked(Action action)
    {
        lock (_lock) action();
    }

    private void Serve()
    {
        var now = _time.GetTimestamp();
        _permits = Math.Min(_mostPermits, _permits + (_time.GetElapsedTime(_countedAt, now).TotalSeconds * _perSecond));
        _countedAt = now;
        while (_permits >= 1 && _underWay < _mostConcurrent && _waiting.Dequeue() is { } ticket)
        {
            // Whoever gave up costs nobody a permit.
            if (!ticket.TryServe()) continue;
            _permits--;
            _underWay++;
        }

        if (_waiting.Count > 0 && _underWay < _mostConcurrent) _wake.Change(TimeSpan.FromSeconds(Math.Max(0, 1 - _permits) / _perSecond), Timeout.InfiniteTimeSpan);
    }

    private sealed class Ticket(StsBudget budget) : IDisposable
    {
        private readonly TaskCompletionSource<IDisposable> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private bool _returned;

        public Task<IDisposable> Turn => _turn.Task;

        public bool TryServe() => _turn.TrySetResult(this);

        public void GiveUp() => _turn.TrySetCanceled();

        public void Dispose() => budget.Locked(() =>
        {
            if (_returned) return;
            _returned = true;
            budget._underWay--;
            budget.Serve();
        });
    }
}
