namespace Gateway.Differences;

/// <summary>The effect of a change.</summary>
internal enum Effect
{
    /// <summary>A caller, a request, an origin or an address may be let in that was kept out, a limit is raised or dropped, or a session may do more.</summary>
    Loosened,

    /// <summary>Nothing here knows what the change means. It counts as <see cref="Loosened"/>.</summary>
    Unjudged,

    /// <summary>Something is kept out that was let in.</summary>
    Tightened,

    /// <summary>Something is done otherwise, and nobody may do more.</summary>
    Changed,
}

/// <summary>A change from one configuration to another.</summary>
/// <param name="Effect">What it means.</param>
/// <param name="Subject">What is changed: a route, or a key.</param>
/// <param name="Text">The change in words. It holds no secret.</param>
internal sealed record Change(Effect Effect, string Subject, string Text)
{
    /// <summary>Whether the change counts as loosening.</summary>
    public bool Loosens => Effect is Effect.Loosened or Effect.Unjudged;
}
