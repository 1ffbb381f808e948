using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests;

/// <summary>Fails like a fault of the gateway: it throws for requests whose path contains <c>throws</c>.</summary>
internal sealed class ThrowingHandler : IAuthorizationHandler
{
    public Task HandleAsync(AuthorizationHandlerContext context) =>
        context.Resource is HttpContext http && http.Request.Path.Value!.Contains("throws", StringComparison.Ordinal)
            ? throw new InvalidOperationException("deliberate")
            : Task.CompletedTask;
}
