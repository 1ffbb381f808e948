using System.Security.Claims;
using IotCredentials.Http;
using IotCredentials.Operations;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>A host that is not the gateway uses everything that the gateway uses: options by code, reload, a module of its own, and the operations.</summary>
public sealed class ForeignHostTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private static readonly Dictionary<string, string?> s_noVariables = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_module_serves_its_routes_beside_this_one()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            OtherRoutes = [ModuleRouteOf("Greeting")],
            Configure = services => services.AddSingleton(new RouteModule("Greeting")),
            Map = app => app.MapReverseProxy().MapIotCredentials().ConfigureEndpoints((endpoint, route) =>
            {
                if (ModuleRoute.ModuleOf(route) != "Greeting") return;
                endpoint.Add(builder => builder.RequestDelegate = context => context.Response.WriteAsync($"hello {context.GetRouteValue("organizationId")}"));
            }),
        };
        await using var host = await StartAsync(plugin);

        var greeting = await SendAsync(host, "/organizations/o-acme/greeting");
        var credentials = await SendAsync(host, Requests.CredentialsPath("o-acme"));

        Assert.Equal((200, "hello o-acme", 200), (greeting.Status, greeting.Body, credentials.Status));
    }

    [Fact]
    public async Task A_module_that_nobody_registered_stops_the_start()
    {
        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var host = await StartAsync(new PluginHost { OtherRoutes = [ModuleRouteOf("Greting")] });
        });

        Assert.Contains("Metadata:Module is Greting; the modules of this host are IotCredentials.", failure?.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Options_can_be_set_by_code_alone_Redis_and_sealing_keys_included()
    {
        await using var redis = await RedisServer.StartAsync();
        var keys = Path.GetTempFileName();
        await File.WriteAllTextAsync(keys, GatewayFolder.NewSealingKey(), Cancellation);
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Add = (proxy, _) => proxy.AddIotCredentials(),
            Configure = services => services
                .Configure<IotCredentialsOptions>(options =>
                {
                    options.Timeout = TimeSpan.FromSeconds(20);
                    options.OrganizationId = new() { Prefix = "o-", Characters = "A-Za-z0-9" };
                    options.Cache.KeyPrefix = "by-code:";
                    options.Profiles["default"] = new()
                    {
                        RoleArn = "arn:aws:iam::111122223333:role/iot-organization",
                        Region = "ap-northeast-1",
                        SessionPolicy = "policies/organization.json",
                    };
                    options.Organizations["o-other"] = new() { Region = "eu-west-1" };
                })
                .Configure<SharedCacheOptions>(shared => (shared.Redis, shared.SealingKeyPath) = (redis.ConnectionString, keys)),
        };
        plugin.Settings.Clear();
        await using var host = await StartAsync(plugin);

        var acme = await SendAsync(host, Requests.CredentialsPath("o-acme"));
        var other = await SendAsync(host, Requests.CredentialsPath("o-other"), "o-other");

        Assert.Equal((200, 200), (acme.Status, other.Status));
        Assert.Equal(("ap-northeast-1", "eu-west-1"), (RegionOf(acme), RegionOf(other)));
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        Assert.NotEmpty(connection.GetServers()[0].Keys(pattern: "by-code:*").ToArray());
        File.Delete(keys);
    }

    [Fact]
    public async Task A_change_of_the_section_is_used_at_once_and_one_that_cannot_be_used_is_not()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Settings =
            {
                ["IotCredentials:Profiles:default:SessionDuration"] = "01:00:00",
                ["IotCredentials:Profiles:default:MinimumLifetime"] = "00:15:00",
            },
        };
        await using var host = await StartAsync(plugin);
        Assert.Equal("ap-northeast-1", RegionOf(await SendAsync(host, Requests.CredentialsPath("o-acme"))));

        Change("Region", "eu-west-1");
        Assert.Equal("eu-west-1", RegionOf(await SendAsync(host, Requests.CredentialsPath("o-acme"))));

        foreach (var (key, value, logged) in new[]
        {
            ("SessionDuration", "00:00:01", "IotCredentials:Profiles:default:SessionDuration is not from"),
            ("MinimumLifetime", "soon", "IotCredentials:Profiles:default:MinimumLifetime has a value that is not of the key's type"),
            ("SessionPolicy", "policies/none.json", "names policies/none.json"),
            ("Regoin", "eu-west-1", "IotCredentials:Profiles:default:Regoin is not known. Did you mean \"Region\"?"),
        })
        {
            var before = host.Configuration[$"IotCredentials:Profiles:default:{key}"];
            Change(key, value);
            Assert.True(plugin.Log.Count(LogLevel.Error, logged) == 1, $"{value}: {plugin.Log.Text}");
            Assert.Equal("eu-west-1", RegionOf(await SendAsync(host, Requests.CredentialsPath("o-acme"))));
            if (before is not null) Change(key, before);
        }

        void Change(string key, string value)
        {
            host.Configuration[$"IotCredentials:Profiles:default:{key}"] = value;
            ((IConfigurationRoot)host.Configuration).Reload();
        }
    }

    [Fact]
    public async Task Profiles_can_come_from_elsewhere_than_options()
    {
        using var files = new PhysicalFileProvider(PluginHost.ContentRoot);
        var options = new IotCredentialsOptions
        {
            OrganizationId = new() { Prefix = "o-", Characters = "A-Za-z0-9" },
            Profiles =
            {
                ["default"] = new()
                {
                    RoleArn = "arn:aws:iam::111122223333:role/iot-organization", Region = "us-east-1", SessionPolicy = "policies/organization.json",
                },
            },
        };
        var profiles = ProfileSet.Create(options, files, out var findings);
        Assert.Empty(findings);
        await using var host = await StartAsync(new PluginHost
        {
            Aws = aws.Emulator,
            Configure = services => services.AddSingleton<IProfileProvider>(new FixedProfiles(profiles!)),
        });

        Assert.Equal("us-east-1", RegionOf(await SendAsync(host, Requests.CredentialsPath("o-acme"))));
    }

    [Fact]
    public async Task The_operations_invalidate_explain_and_examine()
    {
        await using var host = await StartAsync(new PluginHost { Aws = aws.Emulator });
        var (services, profiles) = (host.Services, host.Services.GetRequiredService<IProfileProvider>().Current);
        Assert.True(profiles.OrganizationIds.TryParse("o-acme", out var organization));
        var first = await SendAsync(host, Requests.CredentialsPath("o-acme"));

        Assert.True(await services.GetRequiredService<CredentialInvalidation>().InvalidateAsync(organization));
        var second = await SendAsync(host, Requests.CredentialsPath("o-acme"));
        Assert.NotEqual(first.AccessKeyId, second.AccessKeyId);

        var calls = aws.Emulator.Calls.Count();
        var explained = services.GetRequiredService<AssumeRoleExplainer>().Explain(profiles, "default", organization, new ClaimsPrincipal(), s_noVariables);
        Assert.Equal("arn:aws:iam::111122223333:role/iot-organization", explained?.Role);
        Assert.Contains("o-acme", explained?.Policy, StringComparison.Ordinal);
        Assert.Equal(calls, aws.Emulator.Calls.Count());

        var diagnostics = services.GetRequiredService<AwsDiagnostics>();
        Assert.Null(diagnostics.CredentialsProblem);
        var checks = await diagnostics.ChecksOfAsync(
            profiles, new HashSet<string> { "default" }, organization,
            new Dictionary<string, string?> { ["AWS_ACCESS_KEY_ID"] = "AKIAEXAMPLE", ["AWS_SECRET_ACCESS_KEY"] = "not read" },
            Cancellation);
        Assert.Equal(
            ["STS ap-northeast-1", "IoT endpoint of default", "AssumeRole of default for o-acme"], checks.Select(static check => check.Name));
        foreach (var check in checks) Assert.NotEmpty(await check.RunAsync(new(), Cancellation));
    }

    private static RouteConfig ModuleRouteOf(string module) => new()
    {
        RouteId = "other",
        Match = new RouteMatch { Path = "/organizations/{organizationId}/greeting" },
        AuthorizationPolicy = "Members",
        Metadata = new Dictionary<string, string> { ["Module"] = module },
    };

    private static async Task<WebApplication> StartAsync(PluginHost plugin)
    {
        var host = plugin.Build();
        try
        {
            await host.StartAsync(Cancellation);
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private static string? RegionOf(Response response) => response.Data.GetProperty("awsRegion").GetString();

    private Task<Response> SendAsync(WebApplication host, string path, string organization = "o-acme") => aws.Client.SendAsync(
        host.Urls.First() + path, change: request => request.Headers.Add("X-Claim", [$"organizations={organization}", "sub=alice"]));

    private sealed class FixedProfiles(ProfileSet profiles) : IProfileProvider
    {
        public ProfileSet Current => profiles;
    }
}
