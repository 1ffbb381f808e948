namespace CredentialModule.Policies;

/// <summary>Why a template, or a text that goes into AssumeRole, is refused.</summary>
/// <param name="Code">One of <see cref="FindingCode"/>.</param>
/// <param name="Message">For an operator: where, what is wrong, what to write instead.</param>
internal sealed record PolicyFinding(string Code, string Message)
{
    /// <summary>Two organizations that meet, where the rule that was broken has such.</summary>
    public PolicyCounterexample? Counterexample { get; init; }
}

/// <summary>Two organizations that a template cannot keep apart.</summary>
/// <param name="Reaching">The organization that reaches too far.</param>
/// <param name="ReachingResource">The resource, as written in the template, that it reaches by.</param>
/// <param name="Reached">The organization that it reaches.</param>
/// <param name="ReachedResource">The resource, as written in the template, that is meant for the other.</param>
/// <param name="Shared">
/// A client id, topic or shadow topic that both cover; null where none was found. Then the two are refused because what follows an id is not
/// told apart, not because a clash is known.
/// </param>
internal sealed record PolicyCounterexample(
    OrganizationId Reaching, string ReachingResource, OrganizationId Reached, string ReachedResource, string? Shared);
