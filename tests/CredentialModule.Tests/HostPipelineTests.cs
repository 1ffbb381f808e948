using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>
/// Middleware in a place where it cannot heed the route's metadata gives no credentials to others, and takes no protection from the route without a word.
/// </summary>
public sealed class HostPipelineTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private const string BeforeRouting = "before routing";
    private const string AfterRouting = "after routing";
    private const string AfterAuthorization = "after authorization";

    private static readonly Dictionary<string, Action<OutputCacheOptions>> s_policies = new()
    {
        ["everything"] = static cache => cache.AddBasePolicy(static policy => policy.AddPolicy<Everything>(), excludeDefaultPolicy: true),
        ["everything with locks"] = static cache => cache.AddBasePolicy(static policy => policy.AddPolicy<EverythingOnce>(), excludeDefaultPolicy: true),
        ["nothing of known callers"] = static cache => cache.AddBasePolicy(static policy => policy.AddPolicy<OfStrangers>(), excludeDefaultPolicy: true),
        ["storage allowed after the response"] =
            static cache => cache.AddBasePolicy(static policy => policy.AddPolicy<AllowedLater>(), excludeDefaultPolicy: true),
        ["the default"] = static cache => cache.AddBasePolicy(static policy => policy.Cache()),
    };

    private static readonly Dictionary<string, (RouteConfig Route, Action<WebApplication> Map, int Status)> s_timeouts = new()
    {
        ["no middleware"] = (new() { Timeout = TimeSpan.FromMinutes(1) }, static app => app.MapReverseProxy().MapIotCredentials(), 500),
        ["before routing"] = (
            new() { Timeout = TimeSpan.FromMinutes(1) },
            static app =>
            {
                app.UseRequestTimeouts();
                app.UseRouting();
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapReverseProxy().MapIotCredentials();
            },
            500),
        ["a policy, no middleware"] = (new() { TimeoutPolicy = "minute" }, static app => app.MapReverseProxy().MapIotCredentials(), 500),
        ["after routing"] = (new() { Timeout = TimeSpan.FromMinutes(1) }, UseTimeouts, 200),
        ["a policy after routing"] = (new() { TimeoutPolicy = "minute" }, UseTimeouts, 200),
        ["a policy without a timeout"] = (new() { TimeoutPolicy = "none" }, static app => app.MapReverseProxy().MapIotCredentials(), 200),
        ["a policy without a timeout, after routing"] = (new() { TimeoutPolicy = "none" }, UseTimeouts, 200),
        ["disabled"] = (new() { TimeoutPolicy = "disable" }, UseTimeouts, 200),
        ["disabled by the host"] = (
            new() { Timeout = TimeSpan.FromMinutes(1) }, static app => app.MapReverseProxy().MapIotCredentials().DisableRequestTimeout(), 200),
        ["no timeout"] = (new(), static app => app.MapReverseProxy().MapIotCredentials(), 200),
    };

    public static MatrixTheoryData<string, string> OutputCaches => new(s_policies.Keys, [BeforeRouting, AfterRouting, AfterAuthorization]);

    public static TheoryData<string> Timeouts => [.. s_timeouts.Keys];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(OutputCaches))]
    public async Task An_output_cache_gives_no_credentials_to_the_next_caller(string policy, string place)
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = services => services.AddOutputCache(s_policies[policy]),
            Map = app =>
            {
                Use(app, place, static app => app.UseOutputCache());
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        await AssertRefusedAsync(host, plugin, place == BeforeRouting, "Write app.UseOutputCache() after app.UseRouting()");
    }

    [Theory]
    [InlineData(AfterRouting)]
    [InlineData(AfterAuthorization)]
    public async Task Metadata_of_the_host_for_its_output_cache_gives_no_credentials_to_the_next_caller(string place)
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddOutputCache(static cache =>
                cache.AddPolicy("own", static policy => policy.AddPolicy<Everything>(), excludeDefaultPolicy: true)),
            Map = app =>
            {
                Use(app, place, static app => app.UseOutputCache());
                app.MapReverseProxy().MapIotCredentials().WithMetadata(new OutputCacheAttribute { PolicyName = "own" });
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        await AssertRefusedAsync(host, plugin, isRefused: true, "give the route no OutputCacheAttribute");
    }

    [Fact]
    public async Task An_output_cache_before_routing_that_does_not_store_responses_to_tokens_changes_nothing()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddOutputCache(s_policies["the default"]),
            Map = static app =>
            {
                Use(app, BeforeRouting, static app => app.UseOutputCache());
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        Assert.Equal((200, 403), ((await AskAsync(host, "o-acme", "Bearer token")).Status, (await AskAsync(host, "o-other", "Bearer token")).Status));
    }

    [Theory]
    [InlineData(BeforeRouting)]
    [InlineData(AfterRouting)]
    [InlineData(AfterAuthorization)]
    public async Task Response_caching_gives_no_credentials_to_the_next_caller_even_if_the_host_makes_them_public(string place)
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddResponseCaching(),
            Map = app =>
            {
                Use(app, place, static app => app.UseResponseCaching().Use(static (context, next) =>
                {
                    context.Response.OnStarting(() =>
                    {
                        context.Response.Headers.CacheControl = "public, max-age=60";
                        return Task.CompletedTask;
                    });
                    return next(context);
                }));
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        await AssertRefusedAsync(host, plugin, isRefused: false, "");
    }

    [Theory]
    [MemberData(nameof(Timeouts))]
    public async Task A_timeout_that_nothing_applies_is_an_error_as_on_forwarded_routes(string name)
    {
        var (route, map, status) = s_timeouts[name];
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddRequestTimeouts(static timeouts => timeouts
                .AddPolicy("minute", TimeSpan.FromMinutes(1))
                .AddPolicy("none", new RequestTimeoutPolicy())),
            Load = (proxy, _) => proxy.LoadFromMemory(
                [
                    route with
                    {
                        RouteId = "credentials",
                        Match = new() { Path = Requests.CredentialsPath("{organizationId}") },
                        AuthorizationPolicy = "Members",
                        Metadata = new Dictionary<string, string> { ["Module"] = "IotCredentials" },
                    },
                ],
                []),
            Map = map,
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        for (var times = 0; times < 2; times++)
        {
            var response = await AskAsync(host, "o-acme");
            Assert.True(response.Status == status, $"{name}: {response.Status} {plugin.Log.Text}");
        }

        Assert.Equal(status == 500 ? 1 : 0, plugin.Log.Count(LogLevel.Error, "Write app.UseRequestTimeouts() after app.UseRouting()"));
    }

    private async Task AssertRefusedAsync(WebApplication host, PluginHost plugin, bool isRefused, string remedy)
    {
        // The first caller alone fills a cache; those at once share its locks.
        var first = await AskAsync(host, "o-acme");
        var atOnce = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => AskAsync(host, i % 2 == 0 ? "o-acme" : "o-other")));
        Response[] others = [await AskAsync(host, "o-other"), await AskAsync(host, null), .. atOnce.Where(static (_, i) => i % 2 == 1)];

        Assert.True(first.Status == (isRefused ? 500 : 200), $"{first.Status} {plugin.Log.Text}");
        Assert.All(atOnce.Where(static (_, i) => i % 2 == 0), member => Assert.Equal(first.Status, member.Status));
        Assert.All(others, other => Assert.True(other.Status is 401 or 403 || (isRefused && other.Status == 500), $"{other.Status} {plugin.Log.Text}"));
        if (isRefused) Assert.Equal(1, plugin.Log.Count(LogLevel.Error, remedy));
        else Assert.Equal(0, plugin.Log.Count(LogLevel.Error, "responds with 500"));
    }

    private static void Use(WebApplication app, string place, Action<IApplicationBuilder> use)
    {
        if (place == BeforeRouting) use(app);
        app.UseRouting();
        if (place == AfterRouting) use(app);
        app.UseAuthentication();
        app.UseAuthorization();
        if (place == AfterAuthorization) use(app);
    }

    private static void UseTimeouts(WebApplication app)
    {
        app.UseRequestTimeouts();
        app.MapReverseProxy().MapIotCredentials();
    }

    private Task<Response> AskAsync(WebApplication host, string? organization, string? token = null) => aws.Client.SendAsync(
        host.Urls.First() + Requests.CredentialsPath("o-acme"),
        change: request =>
        {
            if (organization is not null) request.Headers.Add("X-Claim", ["iss=X", "sub=alice", $"organizations={organization}"]);
            if (token is not null) request.Headers.Add("Authorization", token);
        });

    private class Everything : IOutputCachePolicy
    {
        public virtual ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            context.EnableOutputCaching = context.AllowCacheLookup = context.AllowCacheStorage = true;
            context.ResponseExpirationTimeSpan = TimeSpan.FromMinutes(5);
            return default;
        }

        public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => default;

        public virtual ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => default;
    }

    private sealed class EverythingOnce : Everything
    {
        public override ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            context.AllowLocking = true;
            return base.CacheRequestAsync(context, cancellation);
        }
    }

    // As the custom policy of ASP.NET Core's documentation: before authentication every caller is a stranger.
    private sealed class OfStrangers : Everything
    {
        public override ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            var http = context.HttpContext;
            context.EnableOutputCaching = context.AllowLocking = true;
            context.ResponseExpirationTimeSpan = TimeSpan.FromMinutes(5);
            context.AllowCacheLookup = context.AllowCacheStorage =
                http.Request.Headers.Authorization.Count == 0 && http.User.Identity is not { IsAuthenticated: true };
            return default;
        }

        public override ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            if (context.HttpContext.Response.StatusCode != StatusCodes.Status200OK) context.AllowCacheStorage = false;
            return default;
        }
    }

    private sealed class AllowedLater : Everything
    {
        public override ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            context.AllowCacheStorage = true;
            return default;
        }
    }
}
