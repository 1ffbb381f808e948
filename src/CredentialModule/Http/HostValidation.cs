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
internal sealed class HostValidation(IServiceProvider services, IServiceCollection registered) : IHostedLifecycleService
{
    private bool _isDone;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        _isDone = true;
        // A handler of the host may need a request to be created. Its type is known without that, unless a factory or another container makes it.
        if (!RegisteredHandlers().Any(MayAnswer))
        {
            var handlers = await CreatedHandlersAsync();
            if (!handlers.Any(MayAnswer))
                throw new StartupException(
                    $"No authorization handler evaluates {nameof(OrganizationAccessRequirement)}{OtherResources(handlers)}: register an "
                    + $"AuthorizationHandler<{nameof(OrganizationAccessRequirement)}, {nameof(OrganizationId)}> "
                    + "that says whether the caller may have the organization.");
        }

        // Both read their configuration in the constructor, and throw if it cannot be used.
        services.GetRequiredService<IProfileProvider>();
        services.GetRequiredService<CredentialCache>();
    }

    private IEnumerable<Type> RegisteredHandlers() => registered
        .Where(static service => service.ServiceType == typeof(IAuthorizationHandler) && !service.IsKeyedService)
        .Select(static service => service.ImplementationType ?? service.ImplementationInstance?.GetType())
        .OfType<Type>();

    private async Task<IReadOnlyList<Type>> CreatedHandlersAsync()
    {
        await using var scope = services.CreateAsyncScope();
        try
        {
            return [.. scope.ServiceProvider.GetServices<IAuthorizationHandler>().Select(static handler => handler.GetType())];
        }
        catch (Exception e)
        {
            throw new StartupException(
                $"The host's authorization handlers cannot be created without a request ({e.GetType().Name}), so that it is not known whether one evaluates "
                + $"{nameof(OrganizationAccessRequirement)}: register that one by its type, "
                + "builder.Services.AddScoped<IAuthorizationHandler, YourHandler>(), or let no handler read the request in its constructor.");
        }
    }

    private static bool MayAnswer(Type handler) => ArgumentsOf(handler) is not { } arguments ? !handler.IsAssignableTo(typeof(PassThroughAuthorizationHandler))
        : IsOfRequirement(arguments) && (arguments is not [_, var resource] || resource.IsAssignableFrom(typeof(OrganizationId)));

    private static bool IsOfRequirement(Type[] arguments) => arguments[0].IsAssignableFrom(typeof(OrganizationAccessRequirement));

    // The requirement, and the resource if the handler names one; null if the handler is none of the framework's base classes.
    private static Type[]? ArgumentsOf(Type? handler)
    {
        for (; handler is not null; handler = handler.BaseType)
        {
            if (!handler.IsGenericType) continue;
            var generic = handler.GetGenericTypeDefinition();
            if (generic == typeof(AuthorizationHandler<>) || generic == typeof(AuthorizationHandler<,>)) return handler.GetGenericArguments();
        }

        return null;
    }

    private static string OtherResources(IEnumerable<Type> handlers) => string.Concat(handlers
        .Where(static handler => ArgumentsOf(handler) is [_, _] arguments && IsOfRequirement(arguments))
        .Select(static handler => $" ({handler.Name} does, but for the resource {ArgumentsOf(handler)![1].Name})"));

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
