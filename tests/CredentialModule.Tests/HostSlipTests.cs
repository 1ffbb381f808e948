using System.Globalization;
using System.Runtime.Loader;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>A slip in a host's program or section is an error at start, in one line that says what to write.</summary>
public sealed class HostSlipTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private static readonly Dictionary<string, (PluginHost Host, string Remedy)> s_slips = new()
    {
        ["G7 MapIotCredentials is forgotten"] = (new() { Map = app => app.MapReverseProxy() }, "write app.MapReverseProxy().MapIotCredentials()"),
        ["G7 MapReverseProxy is forgotten too"] = (new() { Map = _ => { } }, "write app.MapReverseProxy().MapIotCredentials()"),
        ["G7 AddIotCredentials is called twice"] = (
            new()
            {
                Add = (proxy, configuration) => proxy
                    .AddIotCredentials(configuration.GetSection("IotCredentials"))
                    .AddIotCredentials(configuration.GetSection("IotCredentials")),
            },
            "call it once"),
        ["G7 the path names the organization otherwise"] = (new() { Path = "/organizations/{orgId}/credentials" }, "as {organizationId}, not {orgId}"),
        ["G7 the path names no organization"] = (new() { Path = "/credentials" }, "as {organizationId}"),
        ["G7 the path has several other parameters"] = (new() { Path = "/{tenant}/{**rest}" }, "as {organizationId}, not {tenant} or {rest}"),
        ["G7 a profile's key is misspelt"] = Setting(
            "Profiles:default:RolArn", "x", "IotCredentials:Profiles:default:RolArn is not known. Did you mean \"RoleArn\"?"),
        ["G7 an organization's key is misspelt"] = Setting(
            "Organizations:o-acme:Regon", "x", "IotCredentials:Organizations:o-acme:Regon is not known. Did you mean \"Region\"?"),
        ["G7 a key of the section is misspelt"] = Setting("TimeOuts", "00:00:05", "IotCredentials:TimeOuts is not known. Did you mean \"Timeout\"?"),
        ["G7 a key of the gateway's own is given to the module"] = Setting(
            "AwsIdentity:Source", "Azure", "IotCredentials:AwsIdentity is a key of the gateway's, and not of the module. Set AwsClientOptions.Credentials"),
        ["G7 a key of a nested section is misspelt"] = Setting(
            "OrganizationId:Prefixes", "o-", "IotCredentials:OrganizationId:Prefixes is not known. Did you mean \"Prefix\"?"),
        ["G7 the whole configuration is given as the section"] = (
            new() { Add = (proxy, configuration) => proxy.AddIotCredentials(configuration) }, "GetSection(\"IotCredentials\"), not the whole configuration"),
        ["G7 the ids do not fit the template"] = Setting("OrganizationId:Characters", "A-Za-z0-9_-", "IotCredentials:OrganizationId: the prefix \"o-\""),
        ["G7 no authentication scheme"] = (new() { Authenticate = _ => { } }, "AddAuthentication().AddJwtBearer(…)"),
        ["G7 two schemes and no default"] = (
            new()
            {
                Authenticate = services => services.AddAuthentication()
                    .AddScheme<AuthenticationSchemeOptions, PluginHost.ClaimsCaller>("a", null)
                    .AddScheme<AuthenticationSchemeOptions, PluginHost.ClaimsCaller>("b", null),
            },
            "AddAuthentication(\"the default scheme\")"),
        ["G7 no policy of that name"] = (new() { Policy = "Member" }, "ReverseProxy:Routes:credentials Authorization policy 'Member' not found"),
        ["the organization's part of the path takes the rest"] = (
            new() { Path = "/{**organizationId}/credentials" }, "ReverseProxy:Routes:credentials Invalid path '/{**organizationId}/credentials'"),
        ["no limiter of that name"] = (
            WithRoute(new() { RateLimiterPolicy = "none" }), "ReverseProxy:Routes:a RateLimiter policy 'none' not found"),
        ["no CORS policy of that name"] = (
            WithRoute(new() { CorsPolicy = "none" }), "ReverseProxy:Routes:a CORS policy 'none' not found"),
        ["the section's name is misspelt"] = (
            new() { Add = static (proxy, configuration) => proxy.AddIotCredentials(configuration.GetSection("IotCredential")) },
            "IotCredential:Profiles has none of that name. The section IotCredential, which AddIotCredentials was given, is not in the configuration."),
        ["the section is not given"] = (
            new() { Add = static (proxy, _) => proxy.AddIotCredentials() },
            "AddIotCredentials was given no section: pass builder.Configuration.GetSection(\"IotCredentials\")."),
        ["a key of a section with another name is misspelt"] = (
            InSection("Platform:Vending", ("Profiles:default:Regon", "x")), "Platform:Vending:Profiles:default:Regon is not known. Did you mean \"Region\"?"),
        ["a profile of a section with another name is misspelt"] = (
            InSection("Vending", ("Profiles:defualt:Region", "eu-west-1")), "Vending:Profiles:defualt:RoleArn is missing"),
        ["a section with another name has a key of the gateway's"] = (
            InSection("Vending", ("AwsIdentity:Source", "Azure")), "Vending:AwsIdentity is a key of the gateway's"),
        ["G7 no handler answers for membership"] = (
            new() { Handler = _ => { } }, "register an AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>"),
        ["the handler is for the resource of endpoint routing"] = WrongResource<HttpContext>("HttpContext"),
        ["the handler is for the id as text"] = WrongResource<string>("String"),
        ["the handler is for another type of the module"] = WrongResource<OrganizationIdFormat>("OrganizationIdFormat"),
        ["a handler for another requirement needs a request, and no other is known by its type"] = (
            new()
            {
                Handler = static services => services.AddHttpContextAccessor()
                    .AddScoped<IAuthorizationHandler, NeedsRequest>()
                    .AddSingleton<IAuthorizationHandler>(static _ => new MembershipOf<OrganizationId>()),
            },
            "or let no handler read the request in its constructor"),
        ["a profile that does not exist, by a key in another case"] = (
            new()
            {
                OtherRoutes =
                [
                    new()
                    {
                        RouteId = "a",
                        Match = new() { Path = Requests.CredentialsPath("{organizationId}") },
                        AuthorizationPolicy = "Members",
                        Metadata = new Dictionary<string, string> { ["module"] = "IotCredentials", ["PROFILE"] = "defualt" },
                    },
                ],
            },
            "ReverseProxy:Routes:a Metadata:Profile is defualt; IotCredentials:Profiles has none of that name."),
        ["G7 a profile that does not exist"] = (
            new() { Profile = "defualt" }, "Metadata:Profile is defualt; IotCredentials:Profiles has none of that name. Did you mean \"default\"?"),
        ["G7 a sealing key is missing"] = (
            new() { Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1" } }, "Sealing:KeyPath is missing: what is kept in Redis is sealed. Write"),
        ["Redis is there for something else"] = (
            new() { Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1" } },
            "builder.Services.Configure<SharedCacheOptions>(shared => shared.Redis = null)"),
        ["G7 a sealing key's file is missing"] = (
            new() { Settings = { ["ConnectionStrings:Redis"] = "127.0.0.1:1", ["Sealing:KeyPath"] = "none" } },
            "Sealing:KeyPath names a file that cannot be read"),
        ["G7 a value of another type"] = Setting("Timeout", "soon", "IotCredentials:Timeout"),
        ["S7 a URL for Redis"] = (
            new() { Settings = { ["ConnectionStrings:Redis"] = "redis://gateway:hunter2@redis.internal:6379" } },
            "ConnectionStrings:Redis is not a connection string of StackExchange.Redis: it is a URL"),
        ["G7 a template that is not there"] = Setting(
            "Profiles:default:SessionPolicy", "policies/none.json", "IotCredentials:Profiles:default:SessionPolicy names policies/none.json"),
    };

    public static TheoryData<string> Slips => [.. s_slips.Keys];

    [Theory]
    [MemberData(nameof(Slips))]
    public async Task A_slip_stops_the_start_and_one_line_says_what_to_write(string name)
    {
        var (host, remedy) = s_slips[name];
        var failure = await Record.ExceptionAsync(async () =>
        {
            await using var started = host.Build();
            await started.StartAsync(TestContext.Current.CancellationToken);
        });

        Assert.True(failure is not null, $"{name}: the host started");
        var lines = Messages(failure).SelectMany(message => message.Split('\n')).ToList();
        var line = lines.Find(line => line.Contains(remedy, StringComparison.Ordinal));
        Assert.True(line is not null, $"{name}: {string.Join(" | ", lines)}");
        // .NET prints an exception that ends the program as text: a stack would hide the line.
        Assert.Equal(lines, failure.ToString().Split('\n'));
    }

    [Fact]
    public void G5_the_extensions_are_where_the_types_that_they_extend_are_looked_for()
    {
        Assert.Equal("Microsoft.Extensions.DependencyInjection", typeof(IotCredentialsReverseProxyBuilderExtensions).Namespace);
        Assert.Equal("Microsoft.AspNetCore.Builder", typeof(IotCredentialsEndpointConventionBuilderExtensions).Namespace);
    }

    [Fact]
    public async Task G7_a_host_with_a_Startup_class_that_forgets_authorization_does_not_start()
    {
        var plugin = new PluginHost();
        using (var right = plugin.BuildGeneric(
            app => app.UseRouting().UseAuthentication().UseAuthorization().UseEndpoints(endpoints => endpoints.MapReverseProxy().MapIotCredentials())))
            await right.StartAsync(TestContext.Current.CancellationToken);
        using var wrong = plugin.BuildGeneric(app => app.UseRouting().UseEndpoints(endpoints => endpoints.MapReverseProxy().MapIotCredentials()));
        var failure = await Record.ExceptionAsync(() => wrong.StartAsync(TestContext.Current.CancellationToken));

        Assert.Contains("app.UseAuthorization()", failure?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G7_MapIotCredentials_without_AddIotCredentials_says_so_at_start_or_where_another_host_added_it_at_a_request()
    {
        var plugin = new PluginHost { Add = (_, _) => { }, Map = _ => { } };
        await using var host = plugin.Build();
        var proxy = host.MapReverseProxy();

        // Other hosts of this process have added the module; a fresh copy of it knows of none, as in a process with this host alone.
        var extensions = typeof(IotCredentialsEndpointConventionBuilderExtensions);
        var fresh = new AssemblyLoadContext("fresh").LoadFromAssemblyPath(extensions.Assembly.Location).GetType(extensions.FullName!)!;
        var failure = Record.Exception(() => fresh.GetMethod("MapIotCredentials")!.Invoke(null, [proxy]))!.InnerException;
        var message = Assert.IsAssignableFrom<InvalidOperationException>(failure).Message;
        Assert.Contains("builder.Services.AddReverseProxy().AddIotCredentials(", message, StringComparison.Ordinal);

        await using (var another = new PluginHost().Build()) await another.StartAsync(TestContext.Current.CancellationToken);
        proxy.MapIotCredentials();
        await host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(500, (await AskAsync(host, Requests.CredentialsPath("o-acme"), "organizations=o-acme")).Status);
        Assert.Equal(1, plugin.Log.Count(LogLevel.Error, "builder.Services.AddReverseProxy().AddIotCredentials("));
    }

    [Theory]
    [InlineData("G6 claims as JwtBearer renames them", "", "iss=https://id.example.com", $"{ClaimTypes.NameIdentifier}=alice")]
    [InlineData("G6 claims as the token has them", "", "iss=https://id.example.com", "sub=alice")]
    [InlineData("G6 the issuer of the claim alone", "", $"{ClaimTypes.NameIdentifier}=alice")]
    [InlineData("G6 the same name twice", "", "iss=https://id.example.com", $"{ClaimTypes.NameIdentifier}=alice", $"{ClaimTypes.NameIdentifier}=alice")]
    [InlineData(
        "G6 two names",
        "sub, and not one ClaimTypes.NameIdentifier",
        "iss=https://id.example.com",
        $"{ClaimTypes.NameIdentifier}=alice",
        $"{ClaimTypes.NameIdentifier}=bob")]
    [InlineData("G6 no name", "sub, and not one ClaimTypes.NameIdentifier", "iss=https://id.example.com")]
    public async Task A_caller_is_named_in_the_audit_or_one_error_says_why_not(string name, string missing, params string[] claims)
    {
        claims = [.. claims, "organizations=o-acme", $"exp={DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}"];
        foreach (var scope in (string[])["Organization", "User"])
        {
            var plugin = new PluginHost { Aws = aws.Emulator, Settings = { ["IotCredentials:Profiles:default:Scope"] = scope } };
            await using var host = plugin.Build();
            await host.StartAsync(TestContext.Current.CancellationToken);

            var first = await AskAsync(host, Requests.CredentialsPath("o-acme"), claims);
            var second = await AskAsync(host, Requests.CredentialsPath("o-acme"), claims);

            var status = scope == "User" && missing != "" ? 403 : 200;
            Assert.True((first.Status, second.Status) == (status, status), $"{name}, {scope}: {first.Status} {plugin.Log.Text}");
            // The audit follows the response.
            await Eventually.IsTrueAsync(
                () => plugin.Log.Count(LogLevel.Information, "issuer https://id.example.com subject alice organization o-acme") == (missing == "" ? 2 : 0),
                () => $"{name}, {scope}: {plugin.Log.Text}");
            // One for both requests.
            Assert.Equal(missing == "" ? 0 : 1, plugin.Log.Count(LogLevel.Error, $"no claim {missing}"));
        }
    }

    [Theory]
    [InlineData("4102444800", 200)]
    [InlineData("253402300800", 200)]
    [InlineData("4102444800000", 200)]
    [InlineData("9223372036854775807", 200)]
    [InlineData("9223372036854775808", 403)]
    [InlineData("-1", 403)]
    [InlineData("soon", 403)]
    public async Task A_token_expires_whenever_it_says_and_never_fails_a_request(string expires, int status)
    {
        var plugin = new PluginHost { Aws = aws.Emulator, Settings = { ["IotCredentials:Profiles:default:Scope"] = "User" } };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        var response = await AskAsync(
            host, Requests.CredentialsPath("o-acme"), "iss=https://id.example.com", "sub=alice", "organizations=o-acme", $"exp={expires}");

        Assert.True(response.Status == status, $"{response.Status} {plugin.Log.Text}");
    }

    private static (PluginHost, string) WrongResource<T>(string name) => (
        new() { Handler = static services => services.AddSingleton<IAuthorizationHandler, MembershipOf<T>>() },
        $"`1 does, but for the resource {name}): register");

    private static PluginHost WithRoute(RouteConfig route) => new()
    {
        OtherRoutes =
        [
            route with
            {
                RouteId = "a",
                Match = new() { Path = Requests.CredentialsPath("{organizationId}") },
                Metadata = new Dictionary<string, string> { ["Module"] = "IotCredentials" },
            },
        ],
    };

    private static PluginHost InSection(string name, params (string Key, string Value)[] settings)
    {
        var host = new PluginHost { Add = (proxy, configuration) => proxy.AddIotCredentials(configuration.GetSection(name)) };
        foreach (var (key, value) in settings) host.Settings[$"{name}:{key}"] = value;
        return host;
    }

    private static (PluginHost, string) Setting(string key, string value, string remedy) =>
        (new() { Settings = { [$"IotCredentials:{key}"] = value } }, remedy);

    private Task<Response> AskAsync(WebApplication host, string path, params string[] claims) =>
        aws.Client.SendAsync(host.Urls.First() + path, change: request => request.Headers.Add("X-Claim", claims));

    private sealed class MembershipOf<T> : AuthorizationHandler<OrganizationAccessRequirement, T>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement, T resource)
        {
            context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }

    private static IEnumerable<string> Messages(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            yield return failure.Message;
            if (failure is not AggregateException several) continue;
            foreach (var inner in several.InnerExceptions.Skip(1)) yield return inner.Message;
        }
    }
}
