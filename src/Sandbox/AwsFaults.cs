namespace Sandbox;

/// <summary>The active faults, in the order of injection.</summary>
internal sealed class AwsFaults
{
    private readonly Lock _lock = new();
    private readonly List<Injection> _injections = [];

    public IDisposable Add(AwsFault fault, string? action, Func<AwsCall, bool>? when, int? times)
    {
        var injection = new Injection(this, fault, action, when, times);
        lock (_lock) _injections.Add(injection);
        return injection;
    }

    public void Clear()
    {
        List<Injection> all;
        lock (_lock) all = [.. _injections];
        foreach (var injection in all) injection.Dispose();
    }

    /// <summary>The faults that apply to this call. Each fault counts the call against its number of times.</summary>
    public IReadOnlyList<(AwsFault Fault, Task Removed)> Take(AwsCall call)
    {
        lock (_lock)
        {
            return [.. _injections.Where(injection => injection.Takes(call)).Select(injection => (injection.Fault, injection.Removed))];
        }
    }

    private sealed class Injection(AwsFaults owner, AwsFault fault, string? action, Func<AwsCall, bool>? when, int? times) : IDisposable
    {
        private readonly TaskCompletionSource _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int? _left = times;

        public AwsFault Fault => fault;

        public Task Removed => _removed.Task;

        public bool Takes(AwsCall call)
        {
            if (_left == 0 || (action is not null && action != call.Action) || (when is not null && !when(call))) return false;
            _left--;
            return true;
        }

        public void Dispose()
        {
            lock (owner._lock) owner._injections.Remove(this);
            _removed.TrySetResult();
        }
    }
}
