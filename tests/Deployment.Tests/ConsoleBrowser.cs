using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>A Chromium, and a gateway whose console it opens.</summary>
public sealed class ConsoleBrowser : IAsyncLifetime
{
    private const string Role = "platform-operator";

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    public World World { get; private set; } = null!;

    public RunningGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        World = await World.StartAsync();
        World.Issuer.SignedIn = new TokenRequest { Subject = "olivia", Roles = [Role] };
        Gateway = await World.StartGatewayAsync(settings => Operators(settings, World));
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Environment.GetEnvironmentVariable("TEST_CHROMIUM") ?? "/usr/bin/chromium",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await World.DisposeAsync();
    }

    /// <summary>The settings of a gateway whose operators may use the console, and sign in at the world's issuer.</summary>
    public static void Operators(JsonObject settings, World world)
    {
        settings.Remove("ConnectionStrings");
        settings.Remove("Sealing");
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray(Role) };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
        settings["Management"]!["Console"] = new JsonObject
        {
            ["Authority"] = world.Issuer.Issuer,
            ["ClientId"] = "gateway-console",
            ["Scope"] = "openid",
        };
    }

    public string Operator() => World.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = [Role] });

    /// <summary>Opens a page that is signed out.</summary>
    public async Task<ConsolePage> OpenAsync(string? url = null, int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = colors,
        });
        context.SetDefaultTimeout(60_000);
        var page = new ConsolePage(context, await context.NewPageAsync());
        await page.Page.GotoAsync(url ?? Gateway.ManagementUrl + "/console");
        return page;
    }

    /// <summary>Opens a page and signs in with a token.</summary>
    public async Task<ConsolePage> SignInAsync(string? token = null, string? url = null, int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var page = await OpenAsync(url, width, colors);
        await page.SignInAsync(token ?? Operator());
        await page.ShowsAsync("#overview");
        return page;
    }
}

/// <summary>The console in a browser, with all that the browser's console has said.</summary>
public sealed class ConsolePage : IAsyncDisposable
{
    /// <summary>The beginnings of Chromium's lines for each response of 400 or more, and for each that does not arrive.</summary>
    private static readonly string[] s_failedRequest = ["Failed to load resource", "WebSocket connection to "];

    private static readonly string s_axe = File.ReadAllText(
        Path.Combine(Repository.Root, "tests", "Deployment.Tests", "tools", "node_modules", "axe-core", "axe.min.js"));

    private readonly IBrowserContext _context;
    private readonly List<string> _errors = [];

    public ConsolePage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") _errors.Add(message.Text);
        };
        page.PageError += (_, error) => _errors.Add(error);
        page.Request += (_, request) => Requests.Add(request.Url);
    }

    public static IReadOnlyList<string> Pages { get; } = ["overview", "routes", "clusters", "vending", "events", "configuration", "explain"];

    public IPage Page { get; }

    public List<string> Requests { get; } = [];

    public async Task SignInAsync(string token)
    {
        await Page.GetByLabel("Access token").FillAsync(token);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
    }

    public Task GoAsync(string page) => Page.Locator($"nav a[href='#{page}']").ClickAsync();

    public Task ShowsAsync(string selector) => Page.Locator(selector).WaitForAsync();

    public Task ShowsAsync(string selector, string text) => Page.Locator(selector).GetByText(text).First.WaitForAsync();

    /// <summary>Presses Tab until an element has the focus.</summary>
    public async Task TabToAsync(string selector)
    {
        for (var i = 0; i < 60; i++)
        {
            if (await Page.EvaluateAsync<bool>("selector => document.activeElement.matches(selector)", selector)) return;
            await Page.Keyboard.PressAsync("Tab");
        }

        Assert.Fail($"{selector} cannot be reached by the keyboard.");
    }

    /// <summary>Fails if axe finds a violation, or if the page is wider than its window.</summary>
    public async Task IsAccessibleAsync(string state)
    {
        Assert.True(await Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth") <= Page.ViewportSize!.Width, state);
        await Page.EvaluateAsync(s_axe);
        var violations = await Page.EvaluateAsync<string[]>(
            "async () => (await axe.run()).violations.map(found => `${found.id}: ${found.nodes.map(node => node.html).join(' | ')}`)");
        Assert.True(violations.Length == 0, $"{state}:\n{string.Join('\n', violations)}");
    }

    /// <summary>Fails if the browser reported an error. Requests that fail are expected where the test says so.</summary>
    public void HasNoErrors(bool expectsFailedRequests = false) => Assert.DoesNotContain(
        _errors, error => !expectsFailedRequests || !s_failedRequest.Any(line => error.StartsWith(line, StringComparison.Ordinal)));

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
