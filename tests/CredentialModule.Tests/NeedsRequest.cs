using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.AspNetCore.Http;

namespace IotCredentials.Tests;

/// <summary>A handler of the host's own that can be created only while there is a request.</summary>
internal sealed class NeedsRequest(IHttpContextAccessor accessor) : AuthorizationHandler<DenyAnonymousAuthorizationRequirement>
{
    private readonly string _path = accessor.HttpContext!.Request.Path;

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, DenyAnonymousAuthorizationRequirement requirement)
    {
        if (_path.Length > 0) context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
