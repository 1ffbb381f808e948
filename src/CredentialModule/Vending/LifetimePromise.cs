namespace CredentialModule.Vending;

/// <summary>How long what a caller gets has to live, and when it is renewed.</summary>
/// <param name="Floor">What is left of its life at the least.</param>
/// <param name="MayFallBelow">Whether shorter-lived credentials are better than none while STS fails: the caller asked for no minimum of its own.</param>
/// <param name="RefreshAfter">The age from which on it is renewed behind the callers.</param>
internal readonly record struct LifetimePromise(TimeSpan Floor, bool MayFallBelow, TimeSpan RefreshAfter)
{
    /// <summary>The least life that is ever handed out: with less, an entry is no longer kept.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(60);

    public static LifetimePromise Of(VendInputs inputs, TimeSpan? asked)
    {
        var profile = inputs.Profile;
        var (floor, refreshAfter) = (profile.MinimumLifetime, profile.RefreshAfter);
        if (inputs.SessionDuration < profile.SessionDuration)
        {
            // A session that the caller's token cuts short is renewed as much earlier, and promises no more than what it then has left.
            refreshAfter *= inputs.SessionDuration / profile.SessionDuration;
            var most = inputs.SessionDuration - refreshAfter;
            if (floor > most) floor = most;
        }

        return new(asked > floor ? asked.Value : floor, MayFallBelow: asked is null || asked == TimeSpan.Zero, refreshAfter);
    }
}
