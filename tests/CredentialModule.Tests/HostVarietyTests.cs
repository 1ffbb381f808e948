using System.Security.Claims;
using Autofac.Extensions.DependencyInjection;
using IotCredentials.Vending;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpLogging;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>Other parts of a host change neither who gets credentials from the plugin nor whether the host starts.</summary>
public sealed class HostVarietyTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_output_cache_that_keeps_everything_hands_no_credentials_to_the_next_caller()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddOutputCache(static cache => cache.AddBasePolicy(new CacheEverything())),
            Map = static app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.UseOutputCache();
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        Assert.Equal(200, (await AskAsync(host, "o-acme")).Status);
        var response = await aws.Client.SendAsync(
            host.Urls.First() + Requests.CredentialsPath("o-acme"), change: static request => request.Headers.Add("X-Claim", "organizations=o-other"));

        Assert.Equal(403, response.Status);
    }

    [Fact]
    public async Task A_route_with_an_output_cache_policy_stops_the_start()
    {
        var plugin = new PluginHost
        {
            Configure = static services => services.AddOutputCache(static cache => cache.AddPolicy("short", new CacheEverything())),
            Load = static (proxy, _) => proxy.LoadFromMemory([Route() with { OutputCachePolicy = "short" }], []),
        };
        await using var host = plugin.Build();

        var failure = await Record.ExceptionAsync(() => host.StartAsync(Cancellation));

        Assert.Contains("has an OutputCachePolicy: remove it", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_change_of_profiles_and_routes_together_is_used()
    {
        var plugin = Reloadable("first");
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);
        Assert.Equal(200, (await AskAsync(host, "o-acme")).Status);

        // The framework tells its listeners of a change in an order that differs from change to change.
        foreach (var name in (string[])["second", "third", "fourth", "fifth"])
        {
            Rename(plugin, name);
            await Eventually.IsTrueAsync(async () => (await AskAsync(host, "o-acme")).Status == 200, () => $"{name}: {plugin.Log.Text}");
        }

        // Without Redis nothing is shared, which the log says.
        Assert.DoesNotContain(plugin.Log.Problems, static problem => !problem.Contains("CredentialCache", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_profile_that_a_route_still_names_is_an_outage_that_the_log_explains()
    {
        var plugin = Reloadable("first");
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        Rename(plugin, "second", "first");
        var responses = new List<Response>();
        for (var i = 0; i < 3; i++) responses.Add(await AskAsync(host, "o-acme"));

        Assert.All(responses, static response => Assert.Equal((503, "ServiceUnavailable"), (response.Status, response.Error)));
        Assert.All(responses, static response => Assert.NotNull(response.Headers.RetryAfter));
        Assert.Equal(1, plugin.Log.Count(LogLevel.Error, "IotCredentials:Profiles no longer has first"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HTTP_logging_of_everything_shows_no_credentials(bool beforeRouting)
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = static services => services.AddHttpLogging(static logging =>
            {
                logging.LoggingFields = HttpLoggingFields.All;
                logging.MediaTypeOptions.AddText("application/json");
            }),
            Map = app =>
            {
                if (!beforeRouting) app.UseRouting();
                app.UseHttpLogging();
                if (beforeRouting) app.UseRouting();
                app.UseAuthentication();
                app.UseAuthorization();
                app.MapGet("/hello", static () => TypedResults.Json(new { Greeting = "logged" }));
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        await aws.Client.SendAsync(host.Urls.First() + "/hello");
        var response = await AskAsync(host, "o-acme");
        await plugin.Log.WaitForAsync(LogLevel.Information, "logged");
        await plugin.Log.WaitForAsync(LogLevel.Information, Requests.CredentialsPath("o-acme"));

        Assert.Equal(200, response.Status);
        Assert.DoesNotContain("secretAccessKey", plugin.Log.Text, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("sessionToken", plugin.Log.Text, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_host_of_Autofac_starts_without_Redis()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            ConfigureHost = static host => host.UseServiceProviderFactory(new AutofacServiceProviderFactory()),
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        Assert.Equal(200, (await AskAsync(host, "o-acme")).Status);
    }

    [Fact]
    public async Task A_provider_that_knows_no_routes_yet_does_not_stop_the_start()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Load = static (proxy, _) =>
            {
                proxy.Services.AddSingleton<IProxyConfigProvider, NoRoutesYet>();
                return proxy.LoadFromMemory([Route()], []);
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        Assert.Equal(200, (await AskAsync(host, "o-acme")).Status);
    }

    [Fact]
    public async Task A_membership_handler_with_a_scoped_service_that_is_disposed_asynchronously_starts()
    {
        var plugin = new PluginHost
        {
            Handler = static services => services.AddScoped<DisposedAsynchronously>().AddScoped<IAuthorizationHandler, ScopedMembership>(),
        };
        await using var host = plugin.Build();

        await host.StartAsync(Cancellation);

        Assert.Equal(403, (await AskAsync(host, "o-acme")).Status);
    }

    [Fact]
    public async Task A_branch_that_has_everything_beside_a_main_pipeline_without_authorization_starts()
    {
        using var host = new PluginHost().BuildGeneric(static app => app
            .Map("/edge", static branch => branch.UseRouting().UseAuthentication().UseAuthorization()
                .UseEndpoints(static endpoints => endpoints.MapReverseProxy().MapIotCredentials()))
            .UseRouting()
            .UseEndpoints(static endpoints => endpoints.MapGet("/health", static () => "well")));

        await host.StartAsync(Cancellation);
    }

    private static readonly Dictionary<string, PluginHost> s_hosts = new()
    {
        ["a handler for a base type of the requirement"] = WithHandler<MembershipOf<IAuthorizationRequirement, OrganizationId>>(),
        ["a handler for a base type of the id"] = WithHandler<MembershipOf<OrganizationAccessRequirement, object>>(),
        ["a handler for both base types"] = WithHandler<MembershipOf<IAuthorizationRequirement, object>>(),
        ["a handler made by a factory"] = new()
        {
            Handler = static services => services.AddScoped<IAuthorizationHandler>(
                static _ => new MembershipOf<OrganizationAccessRequirement, OrganizationId>()),
        },
        ["a handler for the right resource beside one for another"] = new()
        {
            Handler = static services => services
                .AddSingleton<IAuthorizationHandler, MembershipOf<OrganizationAccessRequirement, string>>()
                .AddSingleton<IAuthorizationHandler, MembershipOf<OrganizationAccessRequirement, OrganizationId>>(),
        },
        ["another handler that needs a request"] = new()
        {
            Configure = static services => services.AddHttpContextAccessor().AddScoped<IAuthorizationHandler, NeedsRequest>(),
        },
        ["Redis for something else, told before"] = new()
        {
            Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1" },
            Handler = new PluginHost().Handler + (static services => services.Configure<SharedCacheOptions>(static shared => shared.Redis = null)),
        },
        ["Redis for something else, told after"] = new()
        {
            Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1" },
            Configure = static services => services.Configure<SharedCacheOptions>(static shared => shared.Redis = null),
        },
        ["Redis and a sealing key for something else"] = new()
        {
            Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1", ["Sealing:KeyPath"] = "none" },
            Handler = new PluginHost().Handler + (static services => services.Configure<SharedCacheOptions>(static shared => shared.Redis = null)),
        },
        ["metadata in lower case"] = WithMetadata("module", "profile"),
        ["metadata in upper case"] = WithMetadata("MODULE", "PROFILE"),
        ["a profile's name in lower case alone"] = WithMetadata("Module", "profile"),
    };

    public static TheoryData<string> Hosts => [.. s_hosts.Keys];

    [Theory]
    [MemberData(nameof(Hosts))]
    public async Task A_host_that_is_right_starts_and_vends(string name)
    {
        var plugin = s_hosts[name];
        plugin.Settings["IotCredentials:Profiles:metadata:RoleArn"] = "arn:aws:iam::111122223333:role/iot-organization";
        plugin.Settings["IotCredentials:Profiles:metadata:Region"] = "eu-west-1";
        plugin.Settings["IotCredentials:Profiles:metadata:SessionPolicy"] = "policies/organization.json";
        plugin.Aws = aws.Emulator;
        await using var host = plugin.Build();
        await host.StartAsync(Cancellation);

        var member = await AskAsync(host, "o-acme");
        var stranger = await aws.Client.SendAsync(
            host.Urls.First() + Requests.CredentialsPath("o-acme"), change: static request => request.Headers.Add("X-Claim", "organizations=o-other"));

        Assert.True((member.Status, stranger.Status) == (200, 403), $"{name}: {member.Status} {stranger.Status} {plugin.Log.Text}");
        Assert.Equal(plugin.Load is null ? "ap-northeast-1" : "eu-west-1", member.Data.GetProperty("awsRegion").GetString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_profile_can_be_set_half_by_code_and_half_by_the_section(bool after)
    {
        static void Set(IServiceCollection services) => services.Configure<IotCredentialsOptions>(static options =>
        {
            // After the section, the entries are there.
            var profile = options.Profiles.TryGetValue("default", out var set) ? set : options.Profiles["default"] = new();
            (profile.ExternalId, profile.Scope) = ("external", SessionScope.User);
            var organization = options.Organizations.TryGetValue("o-acme", out set) ? set : options.Organizations["o-acme"] = new();
            organization.ExternalId = "of acme";
        });
        var plugin = new PluginHost
        {
            Settings =
            {
                ["IotCredentials:Organizations:o-acme:Region"] = "eu-west-1",
                ["IotCredentials:Organizations:o-empty"] = "",
                ["IotCredentials:Organizations:o-null"] = null,
            },
            Handler = new PluginHost().Handler + (after ? static _ => { } : Set),
            Configure = after ? Set : static _ => { },
        };
        using var host = plugin.BuildGeneric(static _ => { });

        var options = host.Services.GetRequiredService<IOptions<IotCredentialsOptions>>().Value;

        var (profile, organization) = (options.Profiles["default"], options.Organizations["o-acme"]);
        Assert.Equal(
            ("ap-northeast-1", "external", SessionScope.User, "eu-west-1", "of acme"),
            (profile.Region, profile.ExternalId, profile.Scope, organization.Region, organization.ExternalId));
        Assert.NotNull(options.Organizations["o-empty"]);
        Assert.NotNull(options.Organizations["o-null"]);
    }

    [Fact]
    public void A_value_that_cannot_be_read_is_an_error_also_in_a_profile_that_code_has_set()
    {
        var plugin = new PluginHost
        {
            Settings = { ["IotCredentials:Profiles:default:MinimumLifetime"] = "soon" },
            Handler = new PluginHost().Handler + (static services => services.Configure<IotCredentialsOptions>(
                static options => options.Profiles["default"] = new() { ExternalId = "external" })),
        };
        using var host = plugin.BuildGeneric(static _ => { });

        var failure = Record.Exception(() => host.Services.GetRequiredService<IOptions<IotCredentialsOptions>>().Value);

        Assert.Contains("Profiles:default:MinimumLifetime", failure?.Message, StringComparison.Ordinal);
    }

    public static readonly TheoryData<string, string?, string[][]> Problems = new()
    {
        { "nothing", null, [["iss=X", "sub=alice", "exp=1"]] },
        { "no exp", "no claim exp", [["iss=X", "sub=alice"]] },
        { "an exp that is no number", "no claim exp", [["iss=X", "sub=alice", "exp=soon"]] },
        { "no iss", "no claim iss", [["sub=alice", "exp=1"]] },
        { "no name", "MapInboundClaims = false", [["iss=X", "exp=1"]] },
        { "two names in one identity", "MapInboundClaims = false", [["iss=X", $"{ClaimTypes.NameIdentifier}=a", $"{ClaimTypes.NameIdentifier}=b"]] },
        { "two names", "identities name different callers", [["iss=X", "sub=alice", "exp=1"], [$"{ClaimTypes.NameIdentifier}=internal-7"]] },
        { "two issuers", "identities name different callers", [["iss=X", "sub=alice"], ["iss=Y", "sub=alice"]] },
    };

    [Theory]
    [MemberData(nameof(Problems))]
    public void Each_cause_of_a_caller_without_a_name_has_its_own_remedy(string name, string? problem, string[][] identities)
    {
        string[] all = ["no claim exp", "no claim iss", "MapInboundClaims = false", "identities name different callers"];

        var told = CallerClaims.Of(UserOf(identities)).Problem;

        Assert.True(told is null == problem is null, $"{name}: {told}");
        Assert.Equal(problem is null ? [] : [problem], all.Where(text => told?.Contains(text, StringComparison.Ordinal) == true));
    }

    public static readonly TheoryData<string, string?, string?, string[][]> Callers = new()
    {
        { "one identity", "X", "alice", [["iss=X", "sub=alice", "exp=1"]] },
        { "an identity without a name beside it", "X", "alice", [["role=admin"], ["iss=X", "sub=alice"]] },
        { "the same caller twice", "X", "alice", [["iss=X", "sub=alice"], ["iss=X", "sub=alice"]] },
        { "a name without an issuer beside a token", null, null, [["sub=alice"], ["iss=X", "sub=bob"]] },
        { "the same name without the issuer", null, null, [["sub=alice"], ["iss=X", "sub=alice"]] },
        { "the same name of another issuer", null, null, [["iss=X", "sub=alice"], ["iss=Y", "sub=alice"]] },
        { "a renamed subject beside a local one", null, null, [[$"{ClaimTypes.NameIdentifier}=alice", "iss=X"], ["sub=17"]] },
        { "nobody", null, null, [["role=admin"]] },
    };

    [Theory]
    [MemberData(nameof(Callers))]
    public void A_caller_is_never_composed_of_several_identities(string name, string? issuer, string? subject, string[][] identities)
    {
        var caller = CallerClaims.Of(UserOf(identities));

        Assert.Equal((name, issuer, subject), (name, caller.Issuer, caller.Subject));
    }

    private static ClaimsPrincipal UserOf(string[][] identities) => new(identities.Select(static (claims, i) => new ClaimsIdentity(
        claims.Select(static claim => claim.Split('=')).Select(static claim => new Claim(claim[0], claim[1])), $"scheme {i}")));

    private static PluginHost WithHandler<T>() where T : class, IAuthorizationHandler => new()
    {
        Handler = static services => services.AddSingleton<IAuthorizationHandler, T>(),
    };

    private static PluginHost WithMetadata(string module, string profile) => new()
    {
        Load = (proxy, _) => proxy.LoadFromMemory(
            [Route() with { Metadata = new Dictionary<string, string> { [module] = "IotCredentials", [profile] = "metadata" } }], []),
    };

    private static RouteConfig Route() => new()
    {
        RouteId = "credentials",
        Match = new RouteMatch { Path = Requests.CredentialsPath("{organizationId}") },
        AuthorizationPolicy = "Members",
        Metadata = new Dictionary<string, string> { ["Module"] = "IotCredentials" },
    };

    private PluginHost Reloadable(string name)
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Load = static (proxy, configuration) => proxy.LoadFromConfig(configuration.GetSection("ReverseProxy")),
        };
        plugin.Settings["ReverseProxy:Routes:credentials:Match:Path"] = Requests.CredentialsPath("{organizationId}");
        plugin.Settings["ReverseProxy:Routes:credentials:AuthorizationPolicy"] = "Members";
        plugin.Settings["ReverseProxy:Routes:credentials:Metadata:Module"] = "IotCredentials";
        Rename(plugin, name);
        return plugin;
    }

    /// <summary>Gives the only profile another name, and the route that of its profile.</summary>
    private static void Rename(PluginHost plugin, string name, string? routes = null)
    {
        const string Profiles = "IotCredentials:Profiles:";
        foreach (var (key, value) in plugin.Settings.Where(static setting => setting.Key.StartsWith(Profiles, StringComparison.Ordinal)).ToList())
        {
            plugin.Settings.Remove(key);
            plugin.Settings[$"{Profiles}{name}:{key.Split(':')[^1]}"] = value;
        }

        plugin.Settings["ReverseProxy:Routes:credentials:Metadata:Profile"] = routes ?? name;
        plugin.Reload();
    }

    private Task<Response> AskAsync(WebApplication host, string organization) => aws.Client.SendAsync(
        host.Urls.First() + Requests.CredentialsPath(organization),
        change: request => request.Headers.Add("X-Claim", ["sub=alice", $"organizations={organization}", "exp=4102444800"]));

    private sealed class CacheEverything : IOutputCachePolicy
    {
        public ValueTask CacheRequestAsync(OutputCacheContext context, CancellationToken cancellation)
        {
            context.EnableOutputCaching = context.AllowCacheLookup = context.AllowCacheStorage = context.AllowLocking = true;
            context.ResponseExpirationTimeSpan = TimeSpan.FromMinutes(5);
            return default;
        }

        public ValueTask ServeFromCacheAsync(OutputCacheContext context, CancellationToken cancellation) => default;

        public ValueTask ServeResponseAsync(OutputCacheContext context, CancellationToken cancellation) => default;
    }

    // As YARP's provider of Kubernetes before the first message of its controller.
    private sealed class NoRoutesYet : IProxyConfigProvider, IProxyConfig
    {
        public IReadOnlyList<RouteConfig> Routes => null!;

        public IReadOnlyList<ClusterConfig> Clusters => null!;

        public IChangeToken ChangeToken { get; } = new CancellationChangeToken(CancellationToken.None);

        public IProxyConfig GetConfig() => this;
    }

    private sealed class MembershipOf<TRequirement, TResource> : AuthorizationHandler<TRequirement, TResource>
        where TRequirement : IAuthorizationRequirement
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, TRequirement requirement, TResource resource)
        {
            if (resource is OrganizationId organization && context.User.HasClaim("organizations", organization.Value)) context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }

    private sealed class DisposedAsynchronously : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => default;
    }

    private sealed class ScopedMembership(DisposedAsynchronously service) : AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement, OrganizationId resource)
        {
            Assert.NotNull(service);
            return Task.CompletedTask;
        }
    }
}
