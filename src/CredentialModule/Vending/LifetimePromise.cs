namespace CredentialModule.Vending;

/// <summary>How long what a caller gets has to live, and when it is renewed.</summary>
/// <param name="Floor">What is left of its life at the least.</param>
/// <param name="MayFallBelow">Whether shorter-lived credentials are better than none while STS fails: the caller asked for no minimum of its own.</param>
/// <param name="RefreshAfter">The age from which on it is renewed behind the callers.</param>
internal readonly record struct LifetimePromise(TimeSpan Floor, bool MayFallBelow, TimeSpan RefreshAfter)
{
    /// <summary>The least life that is ever handed out, and what is kept of a cache entry's life.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(60);
}
