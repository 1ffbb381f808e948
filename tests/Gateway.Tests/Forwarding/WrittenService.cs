using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Tests.Forwarding;

/// <summary>A service that a test writes as one delegate.</summary>
internal sealed class WrittenService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WrittenService(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    public static async Task<WrittenService> StartAsync(
        RequestDelegate respond, HttpProtocols protocols = HttpProtocols.Http1, Action<ListenOptions>? configure = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                configure?.Invoke(listen);
            });
        });
        var app = builder.Build();
        app.Run(respond);
        await app.StartAsync();
        return new(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
