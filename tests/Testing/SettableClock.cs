using Microsoft.Extensions.Time.Testing;

namespace Testing;

/// <summary>The two clocks of a machine: an operator or NTP sets the one that tells the time of day, and the one that measures goes on.</summary>
public sealed class SettableClock() : FakeTimeProvider(DateTimeOffset.UtcNow)
{
    /// <summary>How far the time of day was set.</summary>
    public TimeSpan Set { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Set;

    public override long GetTimestamp() => base.GetUtcNow().UtcTicks;
}
