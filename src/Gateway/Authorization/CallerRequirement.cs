using Gateway.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>A requirement of a policy on the caller alone, independent of the request.</summary>
/// <param name="description">The requirement in words, for operators.</param>
/// <param name="isMetBy">Whether a caller meets it.</param>
internal sealed class CallerRequirement(string description, Func<CallerIdentity, bool> isMetBy) : IAuthorizationRequirement, IAuthorizationHandler
{
    public Task HandleAsync(AuthorizationHandlerContext context)
    {
        if (CallerIdentity.Of(context.User) is { } caller && isMetBy(caller)) context.Succeed(this);
        return Task.CompletedTask;
    }

    public override string ToString() => description;
}
