using System.Security.Claims;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using Gateway;
using Gateway.Configuration.Loading;
using IotCredentials;
using IotCredentials.Caching;
using IotCredentials.Profiles;
using IotCredentials.Vending;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;

namespace Pieces;

/// <summary>
/// The gateway as it ships, behind a server without a network, that has vended to its one caller before. It shares nothing through Redis,
/// which a warm response does not need.
/// </summary>
internal sealed class WarmGateway : IAsyncDisposable
{
    public const string Organization = "o-acme";

    private readonly World _world;
    private readonly GatewayFolder _folder;
    private readonly WebApplication _app;

    private WarmGateway(World world, GatewayFolder folder, WebApplication app, MemoryServer server)
    {
        _world = world;
        _folder = folder;
        _app = app;
        Server = server;
        Token = world.Issuer.Issue(new TokenRequest
        {
            Organizations = (string[])[Organization],
            Roles = ["operator"],
            Scopes = ["iot.connect", "organizations.read"]
        });
    }

    public MemoryServer Server { get; }

    /// <summary>A member's token, which was validated before.</summary>
    public string Token { get; }

    public IServiceProvider Services => _app.Services;

    public static async Task<WarmGateway> StartAsync()
    {
        var world = await World.StartAsync();
        var folder = world.Folder(AsShipped);
        var server = new MemoryServer();
        var read = ConfigurationFolder.Load(["--config", folder.Path], "Production", new Dictionary<string, string?>());
        var app = GatewayApplication.Build(read.Snapshot ?? throw new InvalidOperationException(string.Join('\n', read.Findings)), "Production", services =>
        {
            services.AddSingleton<IServer>(server);
            services.AddLogging(logging => logging.ClearProviders().AddProvider(new DroppedLog()));
            services.Configure<AwsClientOptions>(aws =>
            {
                aws.Credentials = new BasicAWSCredentials(world.Aws.BaseCredentials.AccessKeyId, world.Aws.BaseCredentials.SecretAccessKey);
                aws.StsUrl = new Uri(world.Aws.Url);
                aws.IotUrl = new Uri(world.Aws.Url);
            });
        });
        await app.StartAsync();
        var gateway = new WarmGateway(world, folder, app, server);
        await gateway.ExpectAsync(200, Requests.CredentialsPath(Organization), $"Bearer {gateway.Token}");
        return gateway;
    }

    /// <summary>A benchmark of another response than the one that is meant would be none.</summary>
    public async Task ExpectAsync(int status, string path, string? authorization)
    {
        if (await Server.GetAsync(path, authorization) is var got && got != status)
            throw new InvalidOperationException($"{path}: {got}, not {status}");
    }

    /// <summary>What was vended, as it is kept, and what that was made of.</summary>
    public async Task<(VendContext Inputs, CachedCredentials Credentials, CachedIotDataEndpoint Endpoint)> VendedAsync()
    {
        var profiles = Services.GetRequiredService<IProfileProvider>().Current;
        var organization = profiles.OrganizationIds.TryParse(Organization, out var id) ? id : throw new InvalidOperationException($"{Organization} is no id");
        var profile = profiles.Find("default", organization)!.Located!;
        var context = (await Services.GetRequiredService<VendContextFactory>().CreateAsync(profile, organization, new ClaimsPrincipal()))!;
        return (
            context, Services.GetRequiredService<CredentialCache>().ReadLocal<CachedCredentials>(CacheKey.Of(context.ToAssumeRoleParameters()))!,
            await Services.GetRequiredService<IotDataEndpointResolver>().FindAsync(profile));
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Dispose();
        await _world.DisposeAsync();
    }

    // But for the number in the limit, which a benchmark would run into, and the access log: it is written behind requests, some of it when they are
    // measured and some after.
    private static void AsShipped(JsonObject settings)
    {
        settings.Remove("ConnectionStrings");
        settings.Remove("Sealing");
        settings["RateLimiting"] = JsonNode.Parse(
            """{ "Policies": { "PerOrganization": { "Algorithm": "TokenBucket", "PartitionBy": "Organization","""
            + $$""" "PermitLimit": {{int.MaxValue}}, "Window": "00:00:01" } } }""");
        settings["ReverseProxy"]!["Routes"]!["iot-endpoint-and-credentials"]!["RateLimiterPolicy"] = "PerOrganization";
        foreach (var category in (string[])["Microsoft.AspNetCore", "Yarp", "System.Net.Http"]) settings["Logging"]!["LogLevel"]![category] = "Warning";
        settings["AccessLog"] = new JsonObject { ["Enabled"] = false };
    }

    /// <summary>Every line is made, and none written.</summary>
    private sealed class DroppedLog : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public bool IsEnabled(LogLevel logLevel) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            formatter(state, exception);

        public void Dispose() { }
    }
}
