using System.Text.Json.Nodes;
using Gateway.Management;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>Readiness is one word for a probe, and for an operator which check it is and why.</summary>
public sealed class ReadinessTests
{
    // More than a start has log lines.
    private const int Probes = 50;

    [Fact]
    public async Task B10_F3_readiness_says_which_check_is_not_well_and_why()
    {
        await using var world = await World.StartAsync();
        var whileStarting = new WhileStarting(world);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis(), services =>
        {
            services.AddHostedService(provider => whileStarting.Of(provider));
            services.AddHealthChecks().AddCheck("throws", static () => throw new InvalidOperationException("hunter2"));
            services.Configure<HealthCheckServiceOptions>(
                checks => checks.Registrations.Single(check => check.Name == "throws").FailureStatus = HealthStatus.Degraded);
        });

        Assert.Equal(
            (503, "Unhealthy", "starting"), (whileStarting.Ready!.Status, Of(whileStarting.Ready, "edge").Status, Of(whileStarting.Ready, "edge").Description));

        var good = await ReadAsync(world, gateway);
        Assert.Equal((200, "application/json"), (good.Status, good.ContentHeaders.ContentType!.ToString()));
        Assert.Equal(["Accept"], good.Headers.Vary);
        Assert.Equal("Degraded", (string?)JsonNode.Parse(good.Body)!["status"]);
        foreach (var check in (string[])["edge", "issuers", "configuration"]) Assert.Equal(("Healthy", null), Of(good, check));
        Assert.Equal(("Degraded", "the check failed"), Of(good, "throws"));
        Assert.DoesNotContain("hunter2", good.Body, StringComparison.Ordinal);

        gateway.Folder.Write("appsettings.json", """{ "Urls": 7 }""");
        await gateway.CheckForChangesAsync();
        Assert.Equal(
            ("Degraded", "The files hold a change that is not used: the log lists the findings."), Of(await ReadAsync(world, gateway), "configuration"));

        gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var draining = await ReadAsync(world, gateway);
        Assert.Equal((503, ("Unhealthy", "draining")), (draining.Status, Of(draining, "edge")));
        Assert.Equal("Unhealthy", (string?)JsonNode.Parse(draining.Body)!["status"]);
    }

    [Theory]
    [InlineData(null, "text/plain")]
    [InlineData("*/*", "text/plain")]
    [InlineData("text/html, application/xml;q=0.9", "text/plain")]
    [InlineData("application/json;q=0", "text/plain")]
    [InlineData("application/json, , ;", "text/plain,application/json")]
    [InlineData("application/json", "application/json")]
    [InlineData("text/plain, Application/JSON;q=0.5", "application/json")]
    public async Task B10_the_response_is_JSON_only_for_a_client_that_accepts_it(string? accept, string contentTypes)
    {
        await using var world = await World.StartAsync();
        await world.Issuer.StopAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        await Eventually.IsTrueAsync(async () => (await ReadAsync(world, gateway)).Body.Contains("cannot be read from", StringComparison.Ordinal));

        foreach (var method in (string[])["GET", "HEAD"])
        {
            var ready = await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready", method: method, change: request =>
            {
                if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
            });

            Assert.Equal(200, ready.Status);
            Assert.Contains(ready.ContentHeaders.ContentType!.MediaType!, contentTypes.Split(','));
            if (method == "HEAD") Assert.Equal("", ready.Body);
            else if (ready.ContentHeaders.ContentType.MediaType == "text/plain") Assert.Equal("Degraded", ready.Body);
            else Assert.StartsWith(
                $"the keys of Platform's issuer cannot be read from {world.Issuer.Issuer}/", Of(ready, "issuers").Description, StringComparison.Ordinal);
        }
    }

    /// <summary>F7: load balancers and orchestrators probe every few seconds, for as long as a state lasts.</summary>
    [Fact]
    public async Task F7_probes_write_no_lines_while_the_gateway_starts_after_a_refused_change_and_while_it_drains()
    {
        await using var world = await World.StartAsync();
        var whileStarting = new WhileStarting(world);
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis().Set("Logging", ShippedSettings.Read()["Logging"]!.ToJsonString()),
            services => services.AddHostedService(provider => whileStarting.Of(provider)));
        Assert.Equal(("Unhealthy", "starting"), Of(whileStarting.Ready!, "edge"));
        Assert.InRange(Logged(gateway), 1, Probes - 1);

        var before = Logged(gateway);
        gateway.Folder.Write("appsettings.json", """{ "Urls": 7 }""");
        await gateway.CheckForChangesAsync();
        var refused = await ProbeAsync(world, gateway.ManagementUrl);
        Assert.Equal(
            (200, ("Degraded", "The files hold a change that is not used: the log lists the findings.")), (refused.Status, Of(refused, "configuration")));
        Assert.InRange(Logged(gateway) - before, 1, Probes - 1);

        before = Logged(gateway);
        gateway.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        var draining = await ProbeAsync(world, gateway.ManagementUrl);
        Assert.Equal((503, ("Unhealthy", "draining")), (draining.Status, Of(draining, "edge")));
        Assert.InRange(Logged(gateway) - before, 0, Probes - 1);

        // Lines of the access log are written in batches. The edge still serves, and its line follows all lines before it.
        await gateway.SendAsync("/last");
        await gateway.Log.WaitForAsync(LogLevel.Information, "\"path\":\"/last\"");
        Assert.DoesNotContain("/health/ready", gateway.Log.Text, StringComparison.Ordinal);
    }

    private static int Logged(RunningGateway gateway) => Enum.GetValues<LogLevel>().Sum(level => gateway.Log.Count(level, ""));

    private static async Task<Response> ProbeAsync(World world, string url)
    {
        for (var i = 1; i < Probes; i++) await world.ReadinessAsync(url);
        return await world.ReadinessAsync(url);
    }

    private static Task<Response> ReadAsync(World world, RunningGateway gateway) => world.ReadinessAsync(gateway.ManagementUrl);

    private static (string? Status, string? Description) Of(Response ready, string check) => Readiness.Of(ready, check);

    /// <summary>Asks while the gateway starts.</summary>
    private sealed class WhileStarting(World world) : IHostedService
    {
        private IServiceProvider? _services;

        public Response? Ready { get; private set; }

        public WhileStarting Of(IServiceProvider services)
        {
            _services = services;
            return this;
        }

        public async Task StartAsync(CancellationToken cancellationToken) =>
            Ready = await ProbeAsync(world, _services!.GetRequiredService<ManagementServer>().Url);

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
