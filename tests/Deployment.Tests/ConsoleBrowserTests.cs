using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The console in Chromium. With UPDATE_SCREENSHOTS=1 it also writes the pictures of docs/images.</summary>
public sealed class ConsoleBrowserTests(ConsoleBrowser browser) : IClassFixture<ConsoleBrowser>
{
    [Fact]
    public async Task Signed_out_it_asks_for_a_token_and_asks_the_API_for_nothing()
    {
        await using var page = await browser.OpenAsync();

        await page.ShowsAsync("#sign-in");
        Assert.False(await page.Page.Locator("nav").IsVisibleAsync());
        Assert.DoesNotContain(page.Requests, static url => url.Contains("/api/", StringComparison.Ordinal));
        page.HasNoErrors();
    }

    [Fact]
    public async Task A_token_shows_the_overview_and_is_in_neither_storage_nor_address()
    {
        await using var page = await browser.SignInAsync();

        await page.ShowsAsync("#checks", "issuers");
        await page.ShowsAsync("#cards", "Requests/s");
        Assert.Equal(browser.Gateway.ManagementUrl + "/console", page.Page.Url);
        Assert.Equal("0 0 ", await page.Page.EvaluateAsync<string>("() => `${localStorage.length} ${sessionStorage.length} ${document.cookie}`"));
        Assert.Equal("", await page.Page.Locator("#token").InputValueAsync());
        page.HasNoErrors();
    }

    [Theory]
    [InlineData("forged", "refused (401)")]
    [InlineData("expired", "refused (401)")]
    [InlineData("a member's", "does not allow its caller (403)")]
    [InlineData("not a token", "This is not a token")]
    public async Task A_token_that_is_not_an_operators_is_told_why(string kind, string told)
    {
        var operators = new TokenRequest { Roles = ["platform-operator"] };
        var token = kind switch
        {
            "forged" => browser.World.Issuer.Issue(operators with { Key = SigningKey.CreateRsa(), KeyId = browser.World.Issuer.CurrentKey.KeyId }),
            "expired" => browser.World.Issuer.Issue(operators with { Expires = TimeSpan.FromMinutes(-10) }),
            "a member's" => browser.World.Token("o-acme"),
            _ => kind,
        };
        await using var page = await browser.OpenAsync();

        await page.SignInAsync(token);

        await page.ShowsAsync("#sign-in-problem", told);
        Assert.False(await page.Page.Locator("nav").IsVisibleAsync());
        page.HasNoErrors(expectsFailedRequests: true);
    }

    [Fact]
    public async Task A_token_that_expires_later_signs_out_and_leaves_nothing_on_the_page()
    {
        await using var page = await browser.OpenAsync();
        // It is accepted for as long as clocks may differ: 30 s after its end.
        await page.SignInAsync(browser.World.Issuer.Issue(new TokenRequest { Roles = ["platform-operator"], Expires = TimeSpan.FromSeconds(-15) }));

        await page.ShowsAsync("#sign-in-problem", "refused (401)");
        Assert.Equal(0, await page.Page.Locator("tbody tr").CountAsync());
        page.HasNoErrors(expectsFailedRequests: true);
    }

    [Fact]
    public async Task The_identity_provider_signs_in_by_PKCE_and_the_code_leaves_the_address()
    {
        await using var page = await browser.OpenAsync();

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in with the identity provider" }).ClickAsync();

        await page.ShowsAsync("#overview");
        Assert.Equal(browser.Gateway.ManagementUrl + "/console", page.Page.Url);
        Assert.Equal("0 0 ", await page.Page.EvaluateAsync<string>("() => `${localStorage.length} ${sessionStorage.length} ${document.cookie}`"));
        Assert.Contains(page.Requests, static url => url.Contains("code_challenge_method=S256", StringComparison.Ordinal));
        page.HasNoErrors();
    }

    [Fact]
    public async Task The_link_that_the_sandbox_prints_signs_in()
    {
        var link = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var sandbox = ChildProcess.Start("dotnet", [Path.Combine(AppContext.BaseDirectory, "Sandbox.dll"), "--port", "0"], onLine: line =>
        {
            if (line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is ["console", var address, ..]) link.TrySetResult(address);
        });
        try
        {
            await using var page = await browser.OpenAsync(await link.Task.WaitAsync(Eventually.Limit));

            await page.ShowsAsync("#overview");
            await page.ShowsAsync("#checks", "issuers");
            page.HasNoErrors();
        }
        finally
        {
            sandbox.Kill(entireProcessTree: true);
            await sandbox.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_code_that_this_page_did_not_ask_for_is_not_used()
    {
        await using var page = await browser.OpenAsync(browser.Gateway.ManagementUrl + "/console?code=stolen&state=other");

        await page.ShowsAsync("#sign-in-problem", "the response is not for this page");
        Assert.DoesNotContain(page.Requests, static url => url.EndsWith("/token", StringComparison.Ordinal));
        page.HasNoErrors();
    }

    [Fact]
    public async Task Each_page_follows_what_happens()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => ConsoleBrowser.Operators(settings, world));
        var token = world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });
        await using var page = await browser.SignInAsync(token, gateway.ManagementUrl + "/console");

        await gateway.VendAsync("o-live");
        await page.ShowsAsync("#levels", "STS");

        await page.GoAsync("vending");
        await page.ShowsAsync("#organizations", "o-live");
        await page.ShowsAsync("#calls", "AssumeRole");

        await page.GoAsync("clusters");
        await page.ShowsAsync("#destinations", "organizations");
        await page.GoAsync("routes");
        await page.ShowsAsync("#route-rows", "iot-endpoint-and-credentials");
        await gateway.ChangeAsync(static settings => settings["ReverseProxy"]!["Routes"]!["added"] = new JsonObject
        {
            ["ClusterId"] = "organizations",
            ["Match"] = new JsonObject { ["Path"] = "/added" },
        });
        await page.ShowsAsync("#route-rows", "added");

        await page.GoAsync("events");
        await page.ShowsAsync("#event-rows", "ConfigurationApplied");
        await page.ShowsAsync("#event-rows", "o-live");

        await page.GoAsync("configuration");
        await page.ShowsAsync("#refused-change", "No change was refused");
        gateway.Folder.Write("appsettings.json", """{ "Urls": 7 }""");
        await page.ShowsAsync("#refused-change", "The files hold a change that is not used");
        await page.ShowsAsync("#findings", "Urls");

        await page.GoAsync("overview");
        await page.ShowsAsync("#checks", "Degraded");
        page.HasNoErrors();
    }

    [Fact]
    public async Task Routes_are_filtered_and_a_route_shows_its_refused_requests_as_text()
    {
        await using var page = await browser.SignInAsync();
        await page.GoAsync("routes");
        await page.Page.GetByLabel("Filter").FillAsync("{**rest}");
        await page.ShowsAsync("#filtered", "1 of 2 routes");
        Assert.Equal(1, await page.Page.Locator("#route-rows tr").CountAsync());

        const string Hostile = "<img src=x onerror=document.title='hacked'>";
        await browser.Gateway.SendAsync("/organizations/o-other/devices", browser.World.Issuer.Issue(
            new TokenRequest { Subject = Hostile, Organizations = (string[])["o-acme"] }));
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "organizations" }).ClickAsync();

        await page.ShowsAsync("#route-refused", Hostile);
        await page.ShowsAsync("#route-refused", "403");
        Assert.Equal("Requests refused lately: organizations", await page.Page.EvaluateAsync<string>("() => document.activeElement.textContent"));
        Assert.Equal(0, await page.Page.Locator("#route-refused img").CountAsync());
        Assert.Equal("Routes – Gateway console", await page.Page.TitleAsync());
        page.HasNoErrors();
    }

    [Fact]
    public async Task Explain_says_why_a_caller_may_not()
    {
        await using var page = await browser.SignInAsync();
        await page.GoAsync("explain");

        await page.Page.GetByLabel("Path and query").FillAsync("/organizations/o-other/devices");
        await page.Page.GetByLabel("The caller's token, if any").FillAsync(browser.World.Token("o-acme"));
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();

        await page.ShowsAsync("#explanation", "Rejected with 403");
        await page.ShowsAsync("#explanation", "Not met");
        page.HasNoErrors();
    }

    [Fact]
    public async Task A_route_that_is_not_recorded_is_not_shown_as_idle()
    {
        await using var page = await browser.SignInAsync();
        await page.Page.RouteAsync("**/api/routes", static route => ChangeAsync(route, static body =>
        {
            foreach (var row in body["routes"]!.AsArray()) row!.AsObject().Remove("live");
        }));
        await page.Page.RouteAsync("**/api/events?route=*", static route => ChangeAsync(route, static body =>
        {
            body["refused"] = new JsonArray();
            body["recorded"] = false;
        }));
        await page.GoAsync("routes");

        await page.ShowsAsync("#filtered", "2 routes. Not recorded: the last minute of 2 (–)");
        await page.ShowsAsync("#route-rows tr[data-key='organizations']", "–");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "organizations" }).ClickAsync();
        await page.ShowsAsync("#route-none", "The requests of this route are not recorded");
        page.HasNoErrors();

        static async Task ChangeAsync(IRoute route, Action<JsonObject> change)
        {
            var response = await route.FetchAsync();
            var body = JsonNode.Parse(await response.TextAsync())!.AsObject();
            change(body);
            await route.FulfillAsync(new() { Response = response, Body = body.ToJsonString() });
        }
    }

    [Fact]
    public async Task Invalidating_asks_first()
    {
        await browser.Gateway.VendAsync("o-asked");
        await using var page = await browser.SignInAsync();
        await page.GoAsync("vending");
        var first = await browser.Gateway.VendAsync("o-asked");

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "o-asked" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();
        Assert.Equal(first.AccessKeyId, (await browser.Gateway.VendAsync("o-asked")).AccessKeyId);

        await page.Page.GetByLabel("Organization", new() { Exact = true }).FillAsync("o-asked");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Invalidate…" }).ClickAsync();
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Invalidate", Exact = true }).ClickAsync();

        await page.ShowsAsync("#invalidated", "o-asked was invalidated in every replica.");
        Assert.NotEqual(first.AccessKeyId, (await browser.Gateway.VendAsync("o-asked")).AccessKeyId);
        page.HasNoErrors();
    }

    [Fact]
    public async Task Invalidating_without_permission_says_so()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => ConsoleBrowser.Operators(settings, world));
        var token = world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });
        await using var page = await browser.SignInAsync(token, gateway.ManagementUrl + "/console");
        await page.GoAsync("vending");
        await page.ShowsAsync("#vending");
        // Between the question and its answer, and before the page asks the API again.
        await page.Page.RouteAsync("**/api/**", static route => route.AbortAsync());
        await page.Page.GetByLabel("Organization", new() { Exact = true }).FillAsync("o-acme");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Invalidate…" }).ClickAsync();
        await gateway.ChangeAsync(static settings =>
            settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("others") });

        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Invalidate", Exact = true }).ClickAsync();

        await page.ShowsAsync("#sign-in-problem", "o-acme was not invalidated. The token is valid, but Management:AuthorizationPolicy does not allow");
        page.HasNoErrors(expectsFailedRequests: true);
    }

    [Fact]
    public async Task A_restart_of_the_gateway_is_told_and_survived()
    {
        await using var world = await World.StartAsync();
        var port = FreePort.Find();
        var first = await world.StartGatewayProcessAsync(Change);
        var token = world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });
        await using var page = await browser.SignInAsync(token, $"http://127.0.0.1:{port}/console");

        first.Signal("KILL");
        await first.WaitForExitAsync();
        await page.ShowsAsync("#state", "Stale: no response since");
        await page.IsAccessibleAsync("stale");

        await world.StartGatewayProcessAsync(Change);
        await page.ShowsAsync("#state", "The gateway was restarted at");
        Assert.True(await page.Page.Locator("#overview").IsVisibleAsync());
        page.HasNoErrors(expectsFailedRequests: true);

        void Change(JsonObject settings)
        {
            ConsoleBrowser.Operators(settings, world);
            settings["Management"]!["Url"] = $"http://127.0.0.1:{port}";
        }
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(375, ColorScheme.Light)]
    [InlineData(375, ColorScheme.Dark)]
    public async Task Each_page_is_accessible_and_fits(int width, ColorScheme colors)
    {
        await using var signedOut = await browser.OpenAsync(width: width, colors: colors);
        await signedOut.IsAccessibleAsync("sign-in");
        await using var page = await browser.SignInAsync(width: width, colors: colors);
        await browser.Gateway.VendAsync("o-acme");
        await browser.Gateway.SendAsync("/organizations/o-other/devices", browser.World.Token("o-acme"));
        foreach (var name in ConsolePage.Pages)
        {
            await page.GoAsync(name);
            await page.ShowsAsync(name switch
            {
                "overview" => "#checks tr >> nth=0",
                "routes" => "#route-rows tr >> nth=0",
                "clusters" => "#destinations tr >> nth=0",
                "vending" => "#organizations tr >> nth=0",
                "events" => "#event-rows tr >> nth=0",
                "configuration" => "#loaded dt >> nth=0",
                _ => "#explain-form",
            });
            await page.IsAccessibleAsync(name);
        }

        var ground = await page.Page.EvaluateAsync<string>("() => getComputedStyle(document.body).backgroundColor");
        Assert.Equal(colors == ColorScheme.Dark ? "rgb(14, 17, 22)" : "rgb(246, 247, 249)", ground);
        page.HasNoErrors();
    }

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(1280, ColorScheme.Dark)]
    [InlineData(375, ColorScheme.Light)]
    [InlineData(375, ColorScheme.Dark)]
    public async Task A_routes_detail_the_dialog_and_an_explanation_are_accessible_and_fit(int width, ColorScheme colors)
    {
        await using var page = await browser.SignInAsync(width: width, colors: colors);
        await browser.Gateway.VendAsync("o-acme");

        await page.GoAsync("routes");
        await page.Page.Locator("#route-rows tr[data-key='iot-endpoint-and-credentials'] button").ClickAsync();
        await page.ShowsAsync("#route-none");
        await page.IsAccessibleAsync("a route of which nothing was refused");
        await browser.Gateway.SendAsync("/organizations/o-other/devices", browser.World.Token("o-acme"));
        await page.Page.Locator("#route-rows tr[data-key='organizations'] button").ClickAsync();
        await page.ShowsAsync("#route-refused tr >> nth=0");
        await page.IsAccessibleAsync("a route and what was refused");

        await page.GoAsync("vending");
        await page.Page.Locator("#organizations tr[data-key='o-acme'] button").ClickAsync();
        await page.ShowsAsync("#confirm");
        await page.IsAccessibleAsync("the question before invalidating");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Cancel" }).ClickAsync();

        await page.GoAsync("explain");
        await page.Page.GetByLabel("Organization, if there is no path").FillAsync("o-acme");
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "Explain" }).ClickAsync();
        await page.ShowsAsync("#explanation pre");
        await page.IsAccessibleAsync("an explanation");
        page.HasNoErrors();
    }

    [Fact]
    public async Task The_pictures_of_the_documentation_can_be_taken()
    {
        await using var wide = await browser.SignInAsync();
        for (var i = 0; i < 20; i++)
        {
            await browser.Gateway.SendAsync($"/organizations/o-acme/devices/{i}", browser.World.Token("o-acme"));
            await browser.Gateway.VendAsync("o-acme");
        }

        await browser.Gateway.SendAsync("/organizations/o-globex/devices", browser.World.Token("o-acme"));
        await wide.ShowsAsync("#levels", "memory (L1)");
        await TakeAsync(wide, "console-overview.png");
        await using var dark = await browser.SignInAsync(colors: ColorScheme.Dark);
        await dark.GoAsync("routes");
        await dark.Page.GetByRole(AriaRole.Button, new() { Name = "organizations" }).ClickAsync();
        await dark.ShowsAsync("#route-refused", "o-globex");
        await TakeAsync(dark, "console-routes.png");
        await using var phone = await browser.SignInAsync(width: 375);
        await TakeAsync(phone, "console-phone.png");

        static async Task TakeAsync(ConsolePage page, string file)
        {
            var picture = await page.Page.ScreenshotAsync();
            Assert.NotEmpty(picture);
            if (Environment.GetEnvironmentVariable("UPDATE_SCREENSHOTS") == "1")
                await File.WriteAllBytesAsync(Path.Combine(Repository.Root, "docs", "images", file), picture);
        }
    }

    [Fact]
    public async Task The_keyboard_is_enough()
    {
        await using var page = await browser.OpenAsync();
        var keyboard = page.Page.Keyboard;
        await page.TabToAsync("#token");
        await keyboard.InsertTextAsync(browser.Operator());
        await keyboard.PressAsync("Enter");
        // The focus has not gone with the field that had it.
        await page.ShowsAsync("nav a[href='#overview']:focus");
        foreach (var name in ConsolePage.Pages) await GoAsync(name);

        await GoAsync("routes");
        await page.ShowsAsync("#route-rows tr >> nth=0");
        await page.TabToAsync("#filter");
        await keyboard.InsertTextAsync("{**rest}");
        await page.ShowsAsync("#filtered", "1 of 2 routes");
        await page.TabToAsync("#route-rows button");
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#route-detail");
        await page.ShowsAsync("#route-title:focus");
        // The focus stays while the page is brought up to date.
        var seen = page.Requests.Count;
        await Eventually.IsTrueAsync(() => page.Requests.Count > seen + 3);
        await page.ShowsAsync("#route-title:focus");
        await page.TabToAsync("#route-close");
        await keyboard.PressAsync("Enter");
        Assert.True(await page.Page.EvaluateAsync<bool>("() => document.activeElement.matches('#route-rows button')"));
        Assert.False(await page.Page.Locator("#route-detail").IsVisibleAsync());

        await GoAsync("explain");
        await page.TabToAsync("#explain-path");
        await keyboard.InsertTextAsync("/organizations/o-other/devices");
        await page.TabToAsync("#explain-token");
        await keyboard.InsertTextAsync(browser.World.Token("o-acme"));
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#explanation", "Rejected with 403");

        var first = await browser.Gateway.VendAsync("o-keys");
        await GoAsync("vending");
        await page.TabToAsync("#organizations tr[data-key='o-keys'] button");
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#confirm button[value='no']:focus");
        await keyboard.PressAsync("Escape");
        await page.ShowsAsync("#organizations tr[data-key='o-keys'] button:focus");
        Assert.False(await page.Page.Locator("#confirm").IsVisibleAsync());
        Assert.Equal(first.AccessKeyId, (await browser.Gateway.VendAsync("o-keys")).AccessKeyId);

        await page.TabToAsync("#organization");
        await keyboard.InsertTextAsync("o-keys");
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#confirm");
        await page.TabToAsync("#confirm button.danger");
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#invalidated", "o-keys was invalidated in every replica.");
        await page.ShowsAsync("#organization:focus");
        Assert.NotEqual(first.AccessKeyId, (await browser.Gateway.VendAsync("o-keys")).AccessKeyId);

        await page.TabToAsync("#sign-out");
        await keyboard.PressAsync("Enter");
        await page.ShowsAsync("#token:focus");
        Assert.False(await page.Page.Locator("nav").IsVisibleAsync());
        page.HasNoErrors();

        async Task GoAsync(string name)
        {
            await page.TabToAsync($"nav a[href='#{name}']");
            await keyboard.PressAsync("Enter");
            await page.ShowsAsync($"#{name}");
        }
    }

    [Fact]
    public async Task An_inline_script_or_style_does_not_run_and_text_does_not_become_markup()
    {
        await using var page = await browser.OpenAsync();

        var blocked = await page.Page.EvaluateAsync<string[]>("""
            () => {
              const blocked = [];
              const script = document.createElement('script');
              try { script.textContent = 'window.hacked = 1'; document.head.append(script); } catch (refused) { blocked.push(refused.name); }
              try { document.body.innerHTML = '<img src=x onerror="window.hacked = 1">'; } catch (refused) { blocked.push(refused.name); }
              try { script.src = 'https://example.com/x.js'; } catch (refused) { blocked.push(refused.name); }
              const style = document.createElement('style');
              style.textContent = 'h1 { color: rgb(1, 2, 3) }';
              document.head.append(style);
              blocked.push(getComputedStyle(document.querySelector('h1')).color === 'rgb(1, 2, 3)' ? 'styled' : 'not styled', String(window.hacked));
              return blocked;
            }
            """);

        Assert.Equal(["TypeError", "not styled", "undefined"], blocked.Distinct());
    }
}
