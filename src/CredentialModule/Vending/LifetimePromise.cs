using CredentialModule.Profiles;

namespace CredentialModule.Vending;

/// <summary>How long what a caller gets has to live, and when it is renewed.</summary>
/// <param name="Floor">What is left of its life at the least.</param>
/// <param name="MayFallBelow">Whether shorter-lived credentials are better than none while STS fails: the caller asked for no minimum of its own.</param>
/// <param name="RefreshAfter">The age from which on it is renewed behind the callers.</param>
internal readonly record struct LifetimePromise(TimeSpan Floor, bool MayFallBelow, TimeSpan RefreshAfter)
{
    /// <summary>The least life that is ever handed out, and what is kept of a cache entry's life.</summary>
    public static readonly TimeSpan Least = TimeSpan.FromSeconds(60);

    public static LifetimePromise Of(Profile profile, VendRequest request, TimeSpan? asked)
    {
        var floor = asked > profile.MinimumLifetime ? asked.Value : profile.MinimumLifetime;
        var refreshAfter = profile.RefreshAfter;
        if (request.SessionDuration < profile.SessionDuration)
        {
            // A session that the caller's token cuts short is renewed as much earlier, and can promise no more than what it then has left.
            refreshAfter *= request.SessionDuration / profile.SessionDuration;
            var most = request.SessionDuration - refreshAfter;
            if (asked is null && floor > most) floor = most;
        }

        return new(floor, MayFallBelow: asked is null || asked == TimeSpan.Zero, refreshAfter);
    }
}
