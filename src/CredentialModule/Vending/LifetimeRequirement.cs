namespace IotCredentials.Vending;

/// <summary>The remaining lifetime that a caller's credentials must have, and the age at which they are renewed.</summary>
/// <param name="Minimum">The minimum remaining lifetime.</param>
/// <param name="AllowDegraded">Whether credentials below the minimum may be served while STS fails: true if the caller requested no minimum of its own.</param>
/// <param name="RefreshAfter">The age from which credentials are renewed in the background.</param>
internal readonly record struct LifetimeRequirement(TimeSpan Minimum, bool AllowDegraded, TimeSpan RefreshAfter)
{
    /// <summary>The least remaining lifetime that is ever served: an entry with less is no longer cached.</summary>
    public static readonly TimeSpan ShortestRemaining = TimeSpan.FromSeconds(60);

    public static LifetimeRequirement Of(VendContext context, TimeSpan? asked)
    {
        var profile = context.Profile;
        var (minimum, refreshAfter) = (profile.MinimumLifetime, profile.RefreshAfter);
        if (context.SessionDuration < profile.SessionDuration)
        {
            // The caller's token shortens the session. Renew it proportionally earlier, and require no more than its remaining lifetime at that time.
            refreshAfter *= context.SessionDuration / profile.SessionDuration;
            var most = context.SessionDuration - refreshAfter;
            if (minimum > most) minimum = most;
        }

        return new(asked > minimum ? asked.Value : minimum, AllowDegraded: asked is null || asked == TimeSpan.Zero, refreshAfter);
    }
}
