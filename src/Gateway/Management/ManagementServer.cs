using System.Security.Claims;
using Gateway.ApiReference;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Edge;
using Gateway.Errors;
using Gateway.Forwarding;
using Gateway.Management.Console;
using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Management;

/// <summary>
/// Serves health, metrics, the API reference and the console on a separate server. The public server cannot reach these paths, whatever a client writes into
/// <c>Host</c>, and they still respond while the edge drains.
/// </summary>
internal sealed partial class ManagementServer : IHostedLifecycleService, IDisposable
{
    private const int MostStrangers = 1024;

    private static readonly string[] s_probing = [HttpMethods.Get, HttpMethods.Head];

    private readonly KestrelServer _server;
    private readonly ScrapeResponses _scrapes = new();
    private readonly GatewayOptions _options;
    private readonly IServiceProvider _services;
    private readonly ILogger<ManagementServer> _logger;

    public ManagementServer(GatewayOptions options, IServiceProvider services, ILoggerFactory loggers)
    {
        _options = options;
        _services = services;
        _logger = loggers.CreateLogger<ManagementServer>();
        var kestrel = new KestrelServerOptions { ApplicationServices = services, AddServerHeader = false };
        ContentLength.Require(kestrel);
        KestrelLimits.Bind(services.GetRequiredService<IConfiguration>(), kestrel.Limits);
        kestrel.Limits.MaxConcurrentConnections = Math.Min(
            kestrel.Limits.MaxConcurrentConnections ?? long.MaxValue, services.GetRequiredService<FileDescriptors>().Spare);
        _server = new KestrelServer(Options.Create(kestrel), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers), loggers);
        _server.Features.Get<IServerAddressesFeature>()!.Addresses.Add(options.Management.Url);
    }

    /// <summary>The address that it listens on, once started.</summary>
    public string Url => _server.Features.Get<IServerAddressesFeature>()!.Addresses.First();

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await _server.StartAsync(new Application(Pipeline(), _services.GetRequiredService<IHttpContextFactory>()), cancellationToken);
        Log.Listening(_logger, Url);
    }

    public Task StoppedAsync(CancellationToken cancellationToken) => _server.StopAsync(cancellationToken);

    private RequestDelegate Pipeline()
    {
        var app = new ApplicationBuilder(_services);
        app.UseUnreadBodies(static _ => true);
        // The client's address, as trusted proxies report it: IpAllow of API keys and the throttle below take it.
        app.UseForwardedHeaders();
        app.UseSecurityHeaders(static _ => true);
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = static context => ErrorResponse.WriteAsync(context, StatusCodes.Status500InternalServerError)
        });
        app.UseStatusCodePages(static pages => ErrorResponse.Has(pages.HttpContext.Response.StatusCode)
            ? ErrorResponse.WriteAsync(pages.HttpContext, pages.HttpContext.Response.StatusCode)
            : Task.CompletedTask);
        app.UseRouting();
        var strangers = new RepeatedLines<(string Address, string? Reason)>(MostStrangers, _services.GetRequiredService<TimeProvider>());
        app.Use((context, next) => InvalidateCredentials.AuditAsync(context, next, strangers));
        // Refused tokens are counted separately from the edge: a client that is locked out there must not keep operators from acting.
        var throttle = ActivatorUtilities.CreateInstance<AuthenticationThrottle>(_services);
        app.Use((context, next) =>
        {
            context.Features.Set(throttle);
            return next(context);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseEndpoints(endpoints =>
        {
            endpoints.MapMethods("/health/live", s_probing, static () => TypedResults.Text("Healthy")).AllowAnonymous();
            endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = ReadinessResponse.WriteAsync })
                .WithMetadata(new HttpMethodMetadata(s_probing)).AllowAnonymous();
            endpoints.Map("/metrics", endpoints.CreateApplicationBuilder()
                .Use(_scrapes.RespondAsync).UseOpenTelemetryPrometheusScrapingEndpoint(static _ => true).Build())
                .WithMetadata(new HttpMethodMetadata(s_probing)).AllowAnonymous();
            endpoints.MapApiReference();
            endpoints.MapConsolePage(_options.Management.Console);
            Guard(_services.GetRequiredService<ConsoleApi>().Map(endpoints, MayOperateAsync));
            Guard(endpoints.MapDelete("/organizations/{organizationId}/credentials", InvalidateCredentials.RespondAsync)
                .WithMetadata(new OrganizationIdPrecondition()));
        });
        return app.Build();
    }

    private void Guard(IEndpointConventionBuilder action) =>
        action.RequireAuthorization(operators =>
            operators.RequireAuthenticatedUser().RequireAssertion(caller => MayOperateAsync(caller.User, caller.Resource)));

    // Looks the policy up by name each time, because a reload can replace it.
    private async Task<bool> MayOperateAsync(ClaimsPrincipal caller, object? resource) =>
        _options.Management.AuthorizationPolicy is { } policy
            && (await _services.GetRequiredService<IAuthorizationService>().AuthorizeAsync(caller, resource, policy)).Succeeded;

    public void Dispose()
    {
        _server.Dispose();
        _scrapes.Dispose();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed class Application(RequestDelegate pipeline, IHttpContextFactory contexts) : IHttpApplication<HttpContext>
    {
        public HttpContext CreateContext(IFeatureCollection contextFeatures) => contexts.Create(contextFeatures);

        public Task ProcessRequestAsync(HttpContext context) => pipeline(context);

        public void DisposeContext(HttpContext context, Exception? exception) => contexts.Dispose(context);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ManagementListening, LogLevel.Information, "Management listening on: {Url}", EventName = nameof(EventIds.ManagementListening))]
        public static partial void Listening(ILogger logger, string url);
    }
}
