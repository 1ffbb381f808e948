using System.Globalization;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox;

/// <summary>
/// A downstream service. It answers every request with JSON that echoes what arrived: <c>method</c>, <c>target</c>, <c>headers</c> and
/// <c>bodyLength</c>. The end of the path may ask for something else: <c>…/status/404</c> answers that status with an empty body,
/// <c>…/slow/250</c> echoes after that many milliseconds, <c>…/abort</c> drops the connection.
/// </summary>
public sealed class OrganizationService : IAsyncDisposable
{
    private LocalServer _server = null!;

    private OrganizationService()
    {
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    /// <summary>What it received, recorded once the body is in and before any answer.</summary>
    public CallLog<ReceivedRequest> Requests { get; } = new();

    /// <summary>Starts the service.</summary>
    /// <param name="port">0: one that the system picks.</param>
    /// <returns>The running service.</returns>
    public static async Task<OrganizationService> StartAsync(int port = 0)
    {
        var service = new OrganizationService();
        service._server = await LocalServer.StartAsync(port, service.AnswerAsync);
        return service;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var received = await ReceiveAsync(context, cancellationToken);
        Requests.Add(received);

        var segments = received.Target.Split('?')[0].Split('/');
        switch (segments)
        {
            case [.., "abort"]:
                context.Abort();
                return;
            case [.., "status", var text] when Number(text) is >= 200 and <= 599 and var status:
                context.Response.StatusCode = status;
                return;
            case [.., "slow", var text] when Number(text) is { } milliseconds:
                await Task.Delay(milliseconds, cancellationToken);
                break;
        }

        await context.Response.WriteAsJsonAsync(received, cancellationToken);
    }

    private static async Task<ReceivedRequest> ReceiveAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var counter = new byte[16 * 1024];
        long length = 0;
        for (int read; (read = await context.Request.Body.ReadAsync(counter, cancellationToken)) > 0;) length += read;

        var headers = context.Request.Headers.ToDictionary(
            header => header.Key,
            header => (IReadOnlyList<string>)[.. header.Value.Select(value => value ?? "")],
            StringComparer.OrdinalIgnoreCase);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return new ReceivedRequest(context.Request.Method, target, headers, length);
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
