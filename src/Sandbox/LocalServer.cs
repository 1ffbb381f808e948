using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox;

/// <summary>
/// Kestrel on 127.0.0.1 with one handler. It starts from an empty builder, so that no environment variable, settings file or signal of the host process affects
/// it.
/// </summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping;
    private int _disposed;

    private LocalServer(WebApplication application, CancellationTokenSource stopping, int port)
    {
        _application = application;
        _stopping = stopping;
        Port = port;
    }

    public int Port { get; }

    /// <summary>Checks that ports can be listened on, before anything is started.</summary>
    /// <exception cref="IOException">A port is taken or forbidden.</exception>
    public static void ThrowIfTaken(params IEnumerable<int> ports)
    {
        foreach (var port in ports.Where(static port => port != 0))
        {
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
            }
            catch (SocketException e)
            {
                throw new IOException($"Failed to listen on http://127.0.0.1:{port}: {e.Message}.", e);
            }
        }
    }

    /// <param name="port">0 lets the system pick one.</param>
    /// <param name="handler">Handles every request. Its token is cancelled when the client disconnects or the server stops.</param>
    /// <param name="certificate">The certificate for https; null for http.</param>
    public static async Task<LocalServer> StartAsync(int port, Func<HttpContext, CancellationToken, Task> handler, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            EnvironmentName = Environments.Production,
            ContentRootPath = AppContext.BaseDirectory,
        });
        builder.Services.AddSingleton<IHostLifetime, OwnedLifetime>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listener =>
            {
                if (certificate is not null) listener.UseHttps(certificate);
            });
        });

        var application = builder.Build();
        var stopping = new CancellationTokenSource();
        application.UseWebSockets();
        application.Run(context => RespondAsync(context, handler, stopping.Token));
        try
        {
            await application.StartAsync();
        }
        catch
        {
            await application.DisposeAsync();
            stopping.Dispose();
            throw;
        }

        var addresses = application.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        return new LocalServer(application, stopping, new Uri(addresses.Single()).Port);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;

        // Handlers that wait on purpose must end first, because Kestrel waits for them.
        await _stopping.CancelAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    private static async Task RespondAsync(
        HttpContext context, Func<HttpContext, CancellationToken, Task> handler, CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        try
        {
            await handler(context, ended.Token);
        }
        catch (Exception exception) when (ended.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            context.Abort();
        }
        catch (Exception exception) when (exception is not BadHttpRequestException && !context.Response.HasStarted)
        {
            // Nothing is logged here, so the response describes the failure of the fake.
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            await context.Response.WriteAsync(exception.ToString(), CancellationToken.None);
        }
    }

    /// <summary>The default lifetime handles Ctrl+C and SIGTERM, which belong to the surrounding program.</summary>
    private sealed class OwnedLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
