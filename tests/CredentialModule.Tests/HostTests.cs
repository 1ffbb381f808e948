using System.Security.Claims;
using System.Text.Encodings.Web;
using Amazon.Runtime;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Sandbox;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

namespace IotCredentials.Tests;

/// <summary>The plugin in a YARP host that is not the gateway: a mistake in its routes does not vend.</summary>
[Trait("Category", "Redis")]
public sealed class HostTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private const string Members = "Members";

    private static readonly string s_path = Requests.CredentialsPath("o-acme");

    [Fact]
    public async Task A_member_is_served_and_nobody_else()
    {
        await using var host = await StartAsync(Route(Members), services => services.AddSingleton<IAuthorizationHandler, Membership>());

        Assert.Equal(200, (await AskAsync(host, "o-acme")).Status);
        Assert.Equal(["data"], (await AskAsync(host, "o-acme")).Json.EnumerateObject().Select(member => member.Name));
        await AssertForbiddenAsync(host, "o-other");
        Assert.Equal(401, (await AskAsync(host, null)).Status);
    }

    [Fact]
    public async Task The_contract_of_the_route_holds_without_the_gateway()
    {
        await using var host = await StartAsync(Route(Members), services => services.AddSingleton<IAuthorizationHandler, Membership>());

        var method = await AskAsync(host, "o-acme", method: "POST");
        var id = await AskAsync(host, "o-*", Requests.CredentialsPath("o-*"));
        var query = await AskAsync(host, "o-acme", s_path + "?minimumLifetime=1801");

        Assert.Equal((405, "MethodNotAllowed"), (method.Status, method.Error));
        Assert.Equal(["GET"], method.ContentHeaders.Allow);
        Assert.Equal((422, "ValidationError"), (id.Status, id.Error));
        Assert.Equal((422, "ValidationError"), (query.Status, query.Error));
        Assert.All([method, id, query], answer => Assert.Equal("no-store", answer.Headers.CacheControl!.ToString()));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("Anonymous")]
    public async Task A_route_without_a_policy_vends_to_no_one(string? policy)
    {
        await using var host = await StartAsync(Route(policy), services => services.AddSingleton<IAuthorizationHandler, Membership>());

        await AssertForbiddenAsync(host, "o-acme");
        await AssertForbiddenAsync(host, null);
    }

    [Fact]
    public async Task A_handler_that_says_nothing_is_no_yes()
    {
        await using var host = await StartAsync(Route(Members), services => services.AddSingleton<IAuthorizationHandler, Undecided>());

        await AssertForbiddenAsync(host, "o-acme");
    }

    [Fact]
    public async Task A_host_without_a_membership_handler_does_not_start()
    {
        Assert.Contains(nameof(OrganizationAccessRequirement), await RefusedAsync(Route(Members), _ => { }), StringComparison.Ordinal);
        Assert.Contains(
            nameof(OrganizationAccessRequirement),
            await RefusedAsync(Route(Members), services => services.AddSingleton<IAuthorizationHandler, Unrelated>()),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_that_could_not_be_answered_as_written_stops_the_start()
    {
        Assert.Contains("IotCredential;", await RefusedAsync(Route(Members, module: "IotCredential"), WithMembership), StringComparison.Ordinal);
        Assert.Contains("ClusterId", await RefusedAsync(Route(Members) with { ClusterId = "a" }, WithMembership), StringComparison.Ordinal);
        Assert.Contains("Metadata:Profile is none", await RefusedAsync(Route(Members, profile: "none"), WithMembership), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_section_that_cannot_be_used_stops_the_start() =>
        Assert.Contains(
            "SessionDuration",
            await RefusedAsync(Route(Members), WithMembership, ("IotCredentials:Profiles:default:SessionDuration", "00:01:00")),
            StringComparison.Ordinal);

    [Fact]
    public async Task Redis_without_sealing_keys_stops_the_start() =>
        Assert.Contains(
            "Sealing:KeyPath", await RefusedAsync(Route(Members), WithMembership, ("ConnectionStrings:Redis", "127.0.0.1:1")), StringComparison.Ordinal);

    private static void WithMembership(IServiceCollection services) => services.AddSingleton<IAuthorizationHandler, Membership>();

    private static RouteConfig Route(string? policy, string module = "IotCredentials", string profile = "default") => new()
    {
        RouteId = "credentials",
        Match = new RouteMatch { Path = "/organizations/{organizationId}/iot-endpoint-and-credentials" },
        AuthorizationPolicy = policy,
        Metadata = new Dictionary<string, string> { ["Module"] = module, ["Profile"] = profile },
    };

    private async Task<string> RefusedAsync(RouteConfig route, Action<IServiceCollection> add, params (string Key, string Value)[] settings)
    {
        var refusal = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var host = await StartAsync(route, add, settings);
        });
        return refusal.ToString();
    }

    private async Task<WebApplication> StartAsync(RouteConfig route, Action<IServiceCollection> add, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = Path.Combine(AppContext.BaseDirectory, "appsettings") });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["IotCredentials:Timeout"] = "00:00:20",
            ["IotCredentials:OrganizationId:Prefix"] = "o-",
            ["IotCredentials:OrganizationId:Characters"] = "A-Za-z0-9",
            ["IotCredentials:Profiles:default:RoleArn"] = "arn:aws:iam::111122223333:role/iot-organization",
            ["IotCredentials:Profiles:default:Region"] = "ap-northeast-1",
            ["IotCredentials:Profiles:default:SessionPolicy"] = "policies/organization.json",
        });
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
        builder.Logging.ClearProviders();
        builder.Services.AddAuthentication(HeaderCaller.Scheme).AddScheme<AuthenticationSchemeOptions, HeaderCaller>(HeaderCaller.Scheme, null);
        builder.Services.AddAuthorizationBuilder().AddPolicy(Members, policy => policy.RequireAuthenticatedUser());
        builder.Services.AddReverseProxy()
            .LoadFromMemory(
                [route],
                [
                    new ClusterConfig
                    {
                        ClusterId = "a",
                        Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "http://127.0.0.1:1/" } },
                    },
                ])
            .AddIotCredentials(builder.Configuration.GetSection("IotCredentials"));
        builder.Services.Configure<AwsClientOptions>(client =>
        {
            client.Credentials = new BasicAWSCredentials(aws.Emulator.BaseCredentials.AccessKeyId, aws.Emulator.BaseCredentials.SecretAccessKey);
            client.StsUrl = client.IotUrl = new Uri(aws.Emulator.Url);
        });
        add(builder.Services);

        var host = builder.Build();
        try
        {
            host.Urls.Add("http://127.0.0.1:0");
            host.UseAuthentication();
            host.UseAuthorization();
            host.MapReverseProxy().MapIotCredentials();
            await host.StartAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    private Task<Response> AskAsync(WebApplication host, string? organization, string? path = null, string method = "GET") =>
        aws.Client.SendAsync(host.Urls.First() + (path ?? s_path), method: method, change: request =>
        {
            if (organization is not null) request.Headers.Add("X-Caller", organization);
        });

    private async Task AssertForbiddenAsync(WebApplication host, string? organization)
    {
        var calls = aws.Emulator.Calls.Count();
        var answer = await AskAsync(host, organization);
        Assert.Equal((403, "Forbidden"), (answer.Status, answer.Error));
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        Assert.Equal(calls, aws.Emulator.Calls.Count());
    }

    public sealed class Aws : IAsyncLifetime
    {
        public AwsEmulator Emulator { get; private set; } = null!;

        public HttpClient Client { get; } = new();

        public async ValueTask InitializeAsync() => Emulator = await AwsEmulator.StartAsync();

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Emulator.DisposeAsync();
        }
    }

    private sealed class HeaderCaller(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        public new const string Scheme = "Header";

        protected override Task<AuthenticateResult> HandleAuthenticateAsync() => Task.FromResult(
            Request.Headers["X-Caller"].FirstOrDefault() is { } organization
                ? AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity([new Claim("organization", organization)], Scheme)), Scheme))
                : AuthenticateResult.NoResult());
    }

    private sealed class Membership : AuthorizationHandler<OrganizationAccessRequirement, OrganizationId>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement, OrganizationId resource)
        {
            if (context.User.HasClaim("organization", resource.Value)) context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }

    private sealed class Undecided : AuthorizationHandler<OrganizationAccessRequirement>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement) => Task.CompletedTask;
    }

    private sealed class UnrelatedRequirement : IAuthorizationRequirement;

    private sealed class Unrelated : AuthorizationHandler<UnrelatedRequirement>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, UnrelatedRequirement requirement)
        {
            context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }
}
