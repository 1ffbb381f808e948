using Gateway.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>A requirement of a policy on the caller alone, independent of the request.</summary>
/// <param name="reason">Why a caller that does not meet it is refused, in a word.</param>
/// <param name="description">The requirement in words, for operators.</param>
/// <param name="isMetBy">Whether a caller meets it.</param>
internal sealed class CallerRequirement(string reason, string description, Func<CallerIdentity, bool> isMetBy)
    : IAuthorizationRequirement, IAuthorizationHandler
{
    public string Reason => reason;

    public bool IsMetBy(CallerIdentity caller) => isMetBy(caller);

    public Task HandleAsync(AuthorizationHandlerContext context)
    {
        if (CallerIdentity.Of(context.User) is { } caller && isMetBy(caller)) context.Succeed(this);
        return Task.CompletedTask;
    }

    public override string ToString() => description;
}
