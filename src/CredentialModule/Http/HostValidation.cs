using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Profiles;
using IotCredentials.Telemetry;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace IotCredentials.Http;

/// <summary>Prevents a host from starting that cannot vend safely: without a handler for membership, or with an unusable section or sealing keys.</summary>
internal sealed class HostValidation(IServiceProvider services) : IHostedLifecycleService
{
    private bool _isDone;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _isDone = true;
        await using var scope = services.CreateAsyncScope();
        if (!scope.ServiceProvider.GetServices<IAuthorizationHandler>().Any(MayAnswer))
            throw new StartupException(
                $"No authorization handler evaluates {nameof(OrganizationAccessRequirement)}: register an "
                + $"AuthorizationHandler<{nameof(OrganizationAccessRequirement)}, {nameof(OrganizationId)}> "
                + "that says whether the caller may have the organization.");

        // Both read their configuration in the constructor, and throw if it cannot be used.
        services.GetRequiredService<IProfileProvider>();
        services.GetRequiredService<CredentialCache>();
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

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // A host of WebHostBuilder knows no StartingAsync.
        if (!_isDone) await StartingAsync(cancellationToken);
        // Not earlier: OpenTelemetry listens once its own service has started, which it puts before all others.
        services.GetRequiredService<CredentialMetrics>().Begin(services.GetRequiredService<IProfileProvider>().Current.Names);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
