namespace IotCredentials;

/// <summary>The reason why a template, or another input of AssumeRole, is refused.</summary>
/// <param name="Code">One of <see cref="FindingCode"/>.</param>
/// <param name="Message">The place, the problem and the remedy, for an operator.</param>
internal sealed record PolicyFinding(string Code, string Message)
{
    /// <summary>Two organizations that collide, if the broken rule is about two organizations.</summary>
    public PolicyCounterexample? Counterexample { get; init; }
}

/// <summary>Two organizations that a template cannot keep apart.</summary>
/// <param name="Reaching">The organization that reaches too far.</param>
/// <param name="ReachingResource">The resource, as written in the template, that it reaches with.</param>
/// <param name="Reached">The organization that it reaches.</param>
/// <param name="ReachedResource">The resource, as written in the template, that is meant for the other.</param>
/// <param name="Shared">
/// A client id, topic or shadow topic that both cover; null if none was found. Then the two are refused because the text after an id is not analyzed, not
/// because a collision is known.
/// </param>
internal sealed record PolicyCounterexample(
    OrganizationId Reaching, string ReachingResource, OrganizationId Reached, string ReachedResource, string? Shared);
