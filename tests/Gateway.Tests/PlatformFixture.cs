using System.Text.Json.Nodes;
using Gateway.Authentication.Keys;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>A world and one gateway with a route of each kind, shared by the tests of a class.</summary>
public class PlatformFixture : IAsyncLifetime
{
    public World World { get; private set; } = null!;

    public RunningGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        World = await World.StartAsync();
        await PrepareAsync();
        Gateway = await World.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis()
                .Set("Cors:Policies:Web", """{ "Origins": ["https://app.example.com"], "Methods": ["GET"], "Headers": ["authorization"] }""")
                .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:CorsPolicy", "\"Web\"")
                .Route("plain", "/plain/{**rest}")
                .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
                .Route("reports", "/reports/{**rest}", """{ "Match": { "Methods": ["GET"] } }""")
                .Route("operators", "/organizations/{organizationId}/operators/{**rest}", """{ "AuthorizationPolicy": "IotOperator" }""")
                .Route("any", "/any/{organizationId}/{**rest}", """{ "Metadata": { "AnyOrganization": "true" } }""")
                .Route("trusted", "/trusted/{**rest}", """{ "Metadata": { "ForwardAuthorization": "true", "ForwardCookies": "true" } }""");
            Change(settings);
        }, Replace);
        await KeysAreReadAsync();
    }

    public Task<Response> SendAsync(string path, string? token = null, string method = "GET", Action<HttpRequestMessage>? change = null) =>
        Gateway.SendAsync(path, token, method, change);

    /// <summary>The requests that the downstream service received under a path. Each test uses a path of its own.</summary>
    public IReadOnlyList<ReceivedRequest> Received(string path) =>
        [.. World.Downstream.Requests.Snapshot().Where(request => request.Target.StartsWith(path, StringComparison.OrdinalIgnoreCase))];

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    // On a busy machine the keys of many issuers can take longer than a caller waits for them.
    private Task KeysAreReadAsync()
    {
        var (schemes, sources) = (Gateway.Services.GetRequiredService<IssuerSchemes>(), Gateway.Services.GetRequiredService<KeySources>());
        return Eventually.IsTrueAsync(() => schemes.Names.All(scheme => sources.Find(scheme) is null or { Current: not null } or { Outage: not null }));
    }

    protected virtual ValueTask PrepareAsync() => default;

    protected virtual void Change(JsonObject settings) { }

    protected virtual void Replace(IServiceCollection services) { }
}
