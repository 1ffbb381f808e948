using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>An open page of the console follows what changes, without being loaded again.</summary>
public sealed class ConsoleLiveTests(ConsoleBrowser browser) : IClassFixture<ConsoleBrowser>
{
    [Fact]
    public async Task A_change_of_a_destinations_health_or_weight_appears_on_the_open_page()
    {
        var status = "200 OK";
        await using var canary = new StubTcpServer(async (stream, ended) =>
        {
            if (await stream.ReadAsync(new byte[4096], ended) == 0) return;
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), ended);
        });
        await using var world = await World.StartAsync();
        var gateway = await StartGatewayAsync(world, settings => settings["ReverseProxy"]!["Clusters"]!["organizations"] = JsonNode.Parse($$"""
            {
              "LoadBalancingPolicy": "Weighted",
              "HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:01", "Timeout": "00:00:20", "Path": "/health" } },
              "Destinations": {
                "stable": { "Address": "{{world.Downstream.Url}}", "Metadata": { "Weight": "90" } },
                "canary": { "Address": "http://127.0.0.1:{{canary.Port}}", "Metadata": { "Weight": "10" } }
              }
            }
            """));
        await using var page = await SignInAsync(world, gateway);
        await page.GoAsync("clusters");
        await ShowsAsync("canary", ("Active check", "Healthy"), ("Used", "yes"), ("Weight", "10"), ("Share", "10.0 %"));

        status = "503 Service Unavailable";
        await ShowsAsync("canary", ("Active check", "Unhealthy"), ("Used", "no"), ("Share", "0.0 %"));
        await ShowsAsync("stable", ("Active check", "Healthy"), ("Used", "yes"), ("Share", "100.0 %"));

        status = "200 OK";
        await ShowsAsync("canary", ("Active check", "Healthy"), ("Used", "yes"), ("Share", "10.0 %"));

        await gateway.ChangeAsync(static settings =>
            settings["ReverseProxy"]!["Clusters"]!["organizations"]!["Destinations"]!["canary"]!["Metadata"]!["Weight"] = "30");
        await ShowsAsync("canary", ("Weight", "30"), ("Share", "25.0 %"));
        await ShowsAsync("stable", ("Weight", "90"), ("Share", "75.0 %"));
        Assert.Equal(2, await page.Page.Locator("#destinations tr").CountAsync());
        WasLoadedOnce(page, gateway);

        async Task ShowsAsync(string destination, params (string Column, string Text)[] cells)
        {
            foreach (var (column, text) in cells)
                await page.ShowsAsync($"#destinations tr[data-key='organizations {destination}'] td[data-label='{column}'] :text-is('{text}')");
        }
    }

    [Fact]
    public async Task A_vend_of_a_new_organization_adds_its_row_and_a_later_vend_moves_it_with_the_focus()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartGatewayAsync(world);
        await using var page = await SignInAsync(world, gateway);
        await page.GoAsync("vending");
        await page.ShowsAsync("#sts dt >> nth=0");
        Assert.Equal(0, await page.Page.Locator("#organizations tr").CountAsync());

        await gateway.VendAsync("o-first");
        await page.ShowsAsync("#organizations tr:first-child[data-key='o-first']");
        await page.ShowsAsync("#outcomes tr[data-key='sts'] td[data-label='Vends'] :text-is('1')");
        await page.ShowsAsync("#calls tr[data-key='AssumeRole'] td[data-label='Calls'] :text-is('1')");
        await gateway.VendAsync("o-second");
        await page.ShowsAsync("#organizations tr:first-child[data-key='o-second'] + tr[data-key='o-first']");

        await page.TabToAsync("#organizations tr[data-key='o-first'] button");
        await gateway.VendAsync("o-first");
        await page.ShowsAsync("#organizations tr:first-child[data-key='o-first'] td[data-label='Vends'] :text-is('2')");
        await page.ShowsAsync("#outcomes tr[data-key='l1'] td[data-label='Vends'] :text-is('1')");
        Assert.True(await page.Page.EvaluateAsync<bool>("() => document.activeElement.matches('#organizations tr:first-child button')"));
        Assert.Equal(2, await page.Page.Locator("#organizations tr").CountAsync());
        WasLoadedOnce(page, gateway);
    }

    [Fact]
    public async Task The_page_gives_up_on_a_response_that_stops_halfway_and_goes_on()
    {
        var stops = 0;
        await using var relay = new StubTcpServer(RelayAsync);
        await using var page = await browser.SignInAsync(url: $"http://127.0.0.1:{relay.Port}/console");

        Volatile.Write(ref stops, 1);

        await page.ShowsAsync("#state", "Stale: no response since");
        await page.ShowsAsync("#state", "Live");

        async Task RelayAsync(Stream client, CancellationToken ended)
        {
            using var server = new TcpClient();
            await server.ConnectAsync(IPAddress.Loopback, new Uri(browser.Gateway.ManagementUrl).Port, ended);
            var requests = client.CopyToAsync(server.GetStream(), ended);
            var buffer = new byte[64 * 1024];
            while (await server.GetStream().ReadAsync(buffer, ended) is > 0 and var length)
            {
                var isStopped = Interlocked.Exchange(ref stops, 0) == 1;
                await client.WriteAsync(buffer.AsMemory(0, isStopped ? length - 1 : length), ended);
                if (!isStopped) continue;
                // Until the page closes the connection.
                await requests;
                return;
            }
        }
    }

    private static Task<RunningGateway> StartGatewayAsync(World world, Action<JsonObject>? change = null) => world.StartGatewayAsync(settings =>
    {
        ConsoleBrowser.Operators(settings, world);
        change?.Invoke(settings);
    });

    private Task<ConsolePage> SignInAsync(World world, RunningGateway gateway) => browser.SignInAsync(
        world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] }), gateway.ManagementUrl + "/console");

    private static void WasLoadedOnce(ConsolePage page, RunningGateway gateway)
    {
        Assert.Single(page.Requests, url => url == gateway.ManagementUrl + "/console");
        page.HasNoErrors();
    }
}
