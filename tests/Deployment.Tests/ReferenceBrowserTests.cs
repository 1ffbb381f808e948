using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The API reference in Chromium.</summary>
public sealed class ReferenceBrowserTests(ConsoleBrowser browser) : IClassFixture<ConsoleBrowser>
{
    [Fact]
    public async Task It_shows_the_credential_route_with_its_responses_and_loads_nothing_from_elsewhere()
    {
        await using var page = await browser.OpenAsync(browser.Gateway.ManagementUrl + "/reference");

        await page.Page.GetByText("Get the organization's AWS IoT endpoint and short-lived AWS credentials").First.WaitForAsync();
        await page.ShowsAsync("body", "/iot-endpoint-and-credentials");
        foreach (var parameter in (string[])["organizationId", "minimumLifetime"]) await page.ShowsAsync("body", parameter);
        foreach (var status in (string[])["200", "400", "401", "403", "405", "422", "429", "500", "503", "504"])
            await page.Page.GetByText(status, new() { Exact = true }).First.WaitForAsync();
        await page.Page.GetByText("200", new() { Exact = true }).First.ClickAsync();
        foreach (var member in (string[])["awsRegion", "iotEndpoint", "accessKeyId", "sessionToken"]) await page.ShowsAsync("body", member);

        Assert.All(page.Requests, url => Assert.StartsWith(browser.Gateway.ManagementUrl + "/", url, StringComparison.Ordinal));
        Assert.Contains(page.Requests, static url => url.EndsWith("/openapi.json", StringComparison.Ordinal));
        page.HasNoErrors();
    }

    [Fact]
    public async Task Its_policy_stops_scripts_that_are_not_the_pages_and_requests_to_elsewhere()
    {
        await using var service = new StubTcpServer("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n");
        await using var page = await browser.OpenAsync(browser.Gateway.ManagementUrl + "/reference");
        await page.Page.GetByText("AWS IoT endpoint").First.WaitForAsync();

        // Playwright's own scripts run apart from the page's policy. Elements that they add to the page do not.
        await page.Page.EvaluateAsync($$"""
            () => {
              window.violations = new Set();
              document.addEventListener('securitypolicyviolation', event => window.violations.add(event.effectiveDirective));
              const script = document.createElement('script');
              script.textContent = 'window.injected = true';
              const image = document.createElement('img');
              image.src = 'http://127.0.0.1:{{service.Port}}/image';
              document.body.append(script, image);
              fetch('http://127.0.0.1:{{service.Port}}/').catch(() => { });
            }
            """);
        await page.Page.WaitForFunctionAsync("() => window.violations.size === 3");

        var found = await page.Page.EvaluateAsync<string>("() => `${[...window.violations].sort().join(' ')} ${window.injected}`");
        Assert.Equal("connect-src img-src script-src-elem undefined", found);
        Assert.Empty(service.Received);
    }
}
