using IotCredentials.Aws;

namespace Scale;

/// <summary>STS of an account and region: a bucket of requests that is refilled all the time, and one outage.</summary>
internal sealed class StsModel(Setting setting)
{
    private double _tokens = setting.Quota;
    private double _countedAt;

    public bool IsDown(double now) => now >= setting.StsOutage.From && now < setting.StsOutage.To;

    /// <summary>Whether a request is within the quota.</summary>
    public bool Accepts(double now)
    {
        _tokens = Math.Min(setting.Quota, _tokens + ((now - _countedAt) * setting.Quota));
        _countedAt = now;
        if (_tokens < 1) return false;
        _tokens--;
        return true;
    }
}

/// <summary>A replica's circuit breaker, with the product's figures.</summary>
internal sealed class BreakerModel
{
    private static readonly double s_window = StsCircuitBreaker.SamplingDuration.TotalSeconds;
    private readonly Queue<(double Time, bool Failed)> _calls = new();
    private int _failures;
    private double _openUntil = double.NegativeInfinity;
    private bool _isTrying;
    private bool _isBroken;

    /// <summary>The time in seconds for which no call may be made; 0 if one may.</summary>
    public double Wait(double now)
    {
        if (!_isBroken) return 0;
        if (now < _openUntil) return _openUntil - now;
        // Half-open: one call finds out whether STS works again.
        if (_isTrying) return StsCircuitBreaker.BreakDuration.TotalSeconds;
        _isTrying = true;
        return 0;
    }

    public void Report(double now, bool failed)
    {
        if (_isBroken)
        {
            // Calls that began before it opened are of no interest.
            if (!_isTrying) return;
            _isTrying = false;
            if (failed)
            {
                _openUntil = now + StsCircuitBreaker.BreakDuration.TotalSeconds;
                return;
            }

            _isBroken = false;
            _calls.Clear();
            _failures = 0;
            return;
        }

        _calls.Enqueue((now, failed));
        if (failed) _failures++;
        while (_calls.Count > 0 && _calls.Peek().Time < now - s_window)
        {
            if (_calls.Dequeue().Failed) _failures--;
        }

        if (_calls.Count < StsCircuitBreaker.MinimumThroughput || _failures < _calls.Count * StsCircuitBreaker.FailureRatio) return;
        (_isBroken, _openUntil) = (true, now + StsCircuitBreaker.BreakDuration.TotalSeconds);
    }
}
