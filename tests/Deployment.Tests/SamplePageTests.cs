using System.Diagnostics;
using System.Globalization;
using Microsoft.Playwright;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The page of <c>samples/browser</c> in Chromium. With UPDATE_SCREENSHOTS=1 it also writes the picture of docs/images.</summary>
public sealed class SamplePageTests(ConsoleBrowser browser, SampleClients clients, ITestOutputHelper output)
    : IClassFixture<ConsoleBrowser>, IClassFixture<SampleClients>
{
    /// <summary>How soon after it was opened the page shows a value that moves.</summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task The_link_that_the_sandbox_prints_shows_values_that_move_and_go_on_after_a_refresh()
    {
        var link = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var sandbox = ChildProcess.Start(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "Sandbox.dll"), "--port", "0", "--session-duration", "60"], onLine: line =>
            {
                if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["sample", "page", var address, ..]) link.TrySetResult(address);
            });
        try
        {
            await using var page = await browser.OpenAsync(await link.Task.WaitAsync(Eventually.Limit), width: 900);

            await MovesAsync(page);
            Assert.DoesNotContain("token", page.Page.Url, StringComparison.Ordinal);
            Assert.Equal("0 0 ", await page.Page.EvaluateAsync<string>("() => `${localStorage.length} ${sessionStorage.length} ${document.cookie}`"));
            // A fragment is no part of a request.
            Assert.DoesNotContain(page.Requests, static url => url.Split('#')[0].Contains("token", StringComparison.Ordinal));
            await page.Page.GetByRole(AriaRole.Button, new() { Name = "Publish" }).ClickAsync();
            await page.ShowsAsync("#values", "hello");
            if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOTS") == "1")
                await page.Page.Locator("body").ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "docs", "images", "sample-page.png") });
            await FetchesAgainAsync(page);
            await MovesAsync(page);
            page.HasNoErrors();
        }
        finally
        {
            sandbox.Kill(entireProcessTree: true);
            await sandbox.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_page_of_another_origin_moves_within_5_seconds_and_after_a_refresh_a_restart_of_the_gateway_and_sleep()
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync("about:blank");
        await page.Page.Clock.InstallAsync();
        // The page without a token, and credentials without a page.
        var machine = await Machine.MeasureAsync(
            async number =>
            {
                await using var signedOut = await browser.OpenAsync(server.Url);
                var organization = $"o-measured{number}";
                var path = Requests.CredentialsPath(organization);
                Assert.Equal(200, (await clients.World.Client.SendAsync(clients.Gateway + path, clients.World.Token(organization))).Status);
            },
            output.WriteLine);
        var opened = Stopwatch.StartNew();
        await page.Page.GotoAsync(server.Link);
        await page.ShowsAsync("#values", SampleClients.Telemetry);
        await Eventually.IsTrueAsync(async () => await CountAsync(page) >= 2);
        output.WriteLine($"The value moved after {opened.Elapsed}.");
        Assert.InRange(opened.Elapsed, TimeSpan.Zero, machine.Within(s_soon));

        await FetchesAgainAsync(page);
        await MovesAsync(page);
        page.HasNoErrors();

        await clients.StopGatewayAsync();
        await page.ShowsAsync("#status", "Waiting");
        await clients.StartGatewayAsync();
        await FetchesAgainAsync(page);
        await MovesAsync(page);
        page.HasNoErrors(expectsFailedRequests: true);

        // Timers fire late and once, as when a lid is opened. From here on the page's clock is two hours ahead, and its signatures must not be.
        await page.Page.Clock.FastForwardAsync("02:00:00");
        await FetchesAgainAsync(page);
        await MovesAsync(page);
    }

    [Fact]
    public async Task A_page_whose_clock_is_set_asks_the_gateway_for_the_time()
    {
        await using var server = await clients.StartPageAsync(SampleClients.LongOrganization);
        // No refresh is due in an hour.
        await clients.LengthenSessionsAsync();
        await using var page = await browser.OpenAsync("about:blank");
        await page.Page.Clock.InstallAsync();
        await page.Page.GotoAsync(server.Link);
        await MovesAsync(page, SampleClients.LongTelemetry);

        foreach (var hours in (int[])[-2, 3, -1])
        {
            await page.Page.Clock.SetSystemTimeAsync(DateTime.UtcNow.AddHours(hours));
            // It connects again, signed by the gateway's time.
            await FetchesAgainAsync(page);
            await MovesAsync(page, SampleClients.LongTelemetry);
        }

        page.HasNoErrors();
    }

    [Fact]
    public async Task A_page_sends_no_token_in_plain_text_off_the_machine()
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync(server.Url);
        await SignInAsync(page, "http://gateway.example.com", clients.World.Token(SampleClients.Organization));

        await page.ShowsAsync("#status", "Stopped: http://gateway.example.com: only https takes a token or credentials off this machine.");
        Assert.DoesNotContain(page.Requests, static url => url.Contains("gateway.example.com", StringComparison.Ordinal));
        page.HasNoErrors();
    }

    [Theory]
    [InlineData("o-globex", "Stopped: 403 Forbidden: this user may not connect to o-acme.")]
    [InlineData(null, "Stopped: 401 Unauthenticated: sign in again.")]
    public async Task A_token_that_does_not_connect_is_told_why_and_asked_for_once(string? organization, string told)
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync("about:blank");
        await page.Page.Clock.InstallAsync();
        await page.Page.GotoAsync(server.Url);
        await SignInAsync(page, clients.Gateway, organization is null ? "none" : clients.World.Token(organization));

        await page.ShowsAsync("#status", told);
        await page.ShowsAsync("#sign-in");
        await page.Page.Clock.FastForwardAsync("01:00:00");
        await page.ShowsAsync("#status", told);
        Assert.Single(page.Requests, static url => url.EndsWith("iot-endpoint-and-credentials", StringComparison.Ordinal));
        page.HasNoErrors(expectsFailedRequests: true);
    }

    [Fact]
    public async Task A_response_that_is_not_the_gateways_is_taken_by_its_status()
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync(server.Url);
        var rows = StrangeBodies.Credentials.Select(static body => (Status: 200, Body: body, Told: "200 without valid credentials."))
            .Concat(StrangeBodies.Errors.Select(static body => (Status: 502, Body: body, Told: "502 without a reason.")))
            .Concat(StrangeBodies.Errors.Select(static body => (Status: 403, Body: body, Told: "Stopped: 403 without a reason: this user may not connect")))
            .Append((404, "null", "Stopped: 404 without a reason."));
        foreach (var (status, body, told) in rows)
        {
            await page.Page.UnrouteAllAsync();
            await page.Page.RouteAsync("**/iot-endpoint-and-credentials", route => route.FulfillAsync(new()
            {
                Status = status,
                Body = body,
                Headers = new Dictionary<string, string> { ["Access-Control-Allow-Origin"] = "*", ["Access-Control-Allow-Headers"] = "*" },
            }));
            await page.Page.GotoAsync(server.Url);
            await page.Page.ReloadAsync();
            await SignInAsync(page, clients.Gateway, clients.World.Token(SampleClients.Organization));

            await page.ShowsAsync("#status", told);
        }

        page.HasNoErrors(expectsFailedRequests: true);
    }

    private static async Task SignInAsync(ConsolePage page, string gateway, string token)
    {
        await page.Page.GetByLabel("Gateway").FillAsync(gateway);
        await page.Page.GetByLabel("Organization").FillAsync(SampleClients.Organization);
        await page.Page.GetByLabel("Access token").FillAsync(token);
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();
    }

    private static async Task MovesAsync(ConsolePage page, string topic = SampleClients.Telemetry)
    {
        await page.ShowsAsync("#values", topic);
        var before = await CountAsync(page, topic);
        await Eventually.IsTrueAsync(async () => await CountAsync(page, topic) >= before + 2);
    }

    private static async Task FetchesAgainAsync(ConsolePage page)
    {
        var before = await page.Page.Locator("#fetches").InnerTextAsync();
        await Eventually.IsTrueAsync(async () => await page.Page.Locator("#fetches").InnerTextAsync() != before);
        await page.ShowsAsync("#status", "Connected");
    }

    private static async Task<int> CountAsync(ConsolePage page, string topic = SampleClients.Telemetry) =>
        int.Parse(
            await page.Page.Locator("#values tr").Filter(new() { HasText = topic }).Locator("td").Last.InnerTextAsync(),
            CultureInfo.InvariantCulture);
}
