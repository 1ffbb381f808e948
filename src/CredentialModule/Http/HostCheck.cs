using CredentialModule.Caching;
using CredentialModule.Profiles;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CredentialModule.Http;

/// <summary>Keeps a host from starting that could not vend safely: one that never answers for membership, or whose section or sealing keys cannot be used.</summary>
internal sealed class HostCheck(IServiceProvider services) : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        using var scope = services.CreateScope();
        if (!scope.ServiceProvider.GetServices<IAuthorizationHandler>().Any(MayAnswer))
            throw new InvalidOperationException(
                $"No authorization handler answers {nameof(OrganizationAccessRequirement)}: register an AuthorizationHandler<{nameof(OrganizationAccessRequirement)}, {nameof(OrganizationId)}> "
                + "that says whether the caller may have the organization.");

        // Both read what they need as they are made, and throw what is wrong with it.
        services.GetRequiredService<ICurrentProfiles>();
        services.GetRequiredService<CredentialCache>();
        return Task.CompletedTask;
    }

    private static bool MayAnswer(IAuthorizationHandler handler)
    {
        for (var type = handler.GetType(); type is not null; type = type.BaseType)
        {
            if (!type.IsGenericType) continue;
            var generic = type.GetGenericTypeDefinition();
            if (generic == typeof(AuthorizationHandler<>) || generic == typeof(AuthorizationHandler<,>))
                return type.GetGenericArguments()[0] == typeof(OrganizationAccessRequirement);
        }

        return handler is not PassThroughAuthorizationHandler;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
