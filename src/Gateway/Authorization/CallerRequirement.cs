using Gateway.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>Something that a policy asks of the caller alone, whatever the request is.</summary>
/// <param name="description">What is asked, as an operator reads it.</param>
/// <param name="isMetBy">Whether a caller meets it.</param>
internal sealed class CallerRequirement(string description, Func<CallerIdentity, bool> isMetBy) : IAuthorizationRequirement, IAuthorizationHandler
{
    public bool IsMetBy(CallerIdentity caller) => isMetBy(caller);

    public Task HandleAsync(AuthorizationHandlerContext context)
    {
        if (CallerIdentity.Of(context.User) is { } caller && isMetBy(caller)) context.Succeed(this);
        return Task.CompletedTask;
    }

    public override string ToString() => description;
}
