using System.Globalization;
using Microsoft.Playwright;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The page of <c>samples/browser</c> in Chromium. With UPDATE_SCREENSHOTS=1 it also writes the picture of docs/images.</summary>
public sealed class SamplePageTests(ConsoleBrowser browser, SampleClients clients) : IClassFixture<ConsoleBrowser>, IClassFixture<SampleClients>
{
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
    public async Task A_page_of_another_origin_survives_a_restart_of_the_gateway_and_sleep()
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync("about:blank");
        await page.Page.Clock.InstallAsync();
        await page.Page.GotoAsync(server.Link);
        await MovesAsync(page);

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

    [Theory]
    [InlineData("o-globex", "Stopped: 403 Forbidden: this user may not connect to o-acme.")]
    [InlineData(null, "Stopped: 401 Unauthenticated: sign in again.")]
    public async Task A_token_that_does_not_connect_is_told_why_and_asked_for_once(string? organization, string told)
    {
        await using var server = await clients.StartPageAsync();
        await using var page = await browser.OpenAsync(server.Url);
        await page.Page.GetByLabel("Gateway").FillAsync(clients.Gateway);
        await page.Page.GetByLabel("Organization").FillAsync(SampleClients.Organization);
        await page.Page.GetByLabel("Access token").FillAsync(organization is null ? "none" : clients.World.Token(organization));
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Connect" }).ClickAsync();

        await page.ShowsAsync("#status", told);
        await page.ShowsAsync("#sign-in");
        Assert.Single(page.Requests, static url => url.EndsWith("iot-endpoint-and-credentials", StringComparison.Ordinal));
        page.HasNoErrors(expectsFailedRequests: true);
    }

    private static async Task MovesAsync(ConsolePage page)
    {
        await page.ShowsAsync("#values", SampleClients.Telemetry);
        var before = await CountAsync(page);
        await Eventually.IsTrueAsync(async () => await CountAsync(page) >= before + 2);
    }

    private static async Task FetchesAgainAsync(ConsolePage page)
    {
        var before = await page.Page.Locator("#fetches").InnerTextAsync();
        await Eventually.IsTrueAsync(async () => await page.Page.Locator("#fetches").InnerTextAsync() != before);
        await page.ShowsAsync("#status", "Connected");
    }

    private static async Task<int> CountAsync(ConsolePage page) =>
        int.Parse(
            await page.Page.Locator("#values tr").Filter(new() { HasText = SampleClients.Telemetry }).Locator("td").Last.InnerTextAsync(),
            CultureInfo.InvariantCulture);
}
