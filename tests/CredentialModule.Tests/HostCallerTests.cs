using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace IotCredentials.Tests;

/// <summary>A host's mistakes about who the caller is end in a refusal of the contract's form, and one line of the log that says what to write.</summary>
public sealed class HostCallerTests(HostTests.Aws aws) : IClassFixture<HostTests.Aws>
{
    private const string NotAuthenticated = "Add RequireAuthenticatedUser() to the policy";
    private const string TooLate = "Write app.UseAuthentication() before app.UseAuthorization()";

    private static readonly Dictionary<string, Action<IServiceCollection>> s_carelessHosts = new()
    {
        ["a service that always says yes"] = services => services.AddSingleton<IAuthorizationService, Yes>(),
        ["a policy and a handler that always say yes"] = services =>
        {
            LetEveryoneIn(services);
            services.AddSingleton<IAuthorizationHandler, YesForAll>();
        },
        ["an identity that nothing has authenticated"] = services =>
        {
            LetEveryoneIn(services);
            services.AddSingleton<IClaimsTransformation>(new Identities(new ClaimsIdentity([new("organizations", "o-acme")])));
        },
        ["no identity"] = services =>
        {
            LetEveryoneIn(services);
            services.AddSingleton<IAuthorizationHandler, YesForAll>();
            services.AddSingleton<IClaimsTransformation>(new Identities());
        },
    };

    public static TheoryData<string> CarelessHosts => [.. s_carelessHosts.Keys];

    [Theory]
    [MemberData(nameof(CarelessHosts))]
    public async Task A_caller_without_an_authenticated_identity_gets_401_whatever_the_host_allows(string name)
    {
        var plugin = new PluginHost { Aws = aws.Emulator, Configure = s_carelessHosts[name] };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);
        var calls = aws.Emulator.Calls.Count();
        // The transformation replaces the caller's identity.
        string[] claims = name.Contains("identity", StringComparison.Ordinal) ? ["sub=alice"] : [];

        for (var times = 0; times < 2; times++) AssertContract(401, await AskAsync(host, claims));

        Assert.Equal(calls, aws.Emulator.Calls.Count());
        Assert.Equal(1, plugin.Log.Count(LogLevel.Error, NotAuthenticated));
    }

    [Fact]
    public async Task One_authenticated_identity_of_several_is_enough()
    {
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Configure = services => services.AddSingleton<IClaimsTransformation>(
                new Identities(new ClaimsIdentity(), new ClaimsIdentity([new("organizations", "o-acme")], "another"))),
        };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(200, (await AskAsync(host, "sub=alice")).Status);
    }

    [Theory]
    [InlineData("authorization first", true)]
    // ASP.NET Core has put UseAuthentication before the branch.
    [InlineData("authorization first, in a branch", false)]
    [InlineData("authentication first", false)]
    [InlineData("authorization first, and a policy with a scheme", false)]
    public async Task Authorization_before_authentication_is_told_once(string order, bool isTold)
    {
        var isFirst = order.StartsWith("authorization", StringComparison.Ordinal);
        var plugin = new PluginHost
        {
            Aws = aws.Emulator,
            Policy = order.EndsWith("scheme", StringComparison.Ordinal) ? "Scheme" : "Members",
            Configure = services => services.AddAuthorizationBuilder()
                .AddPolicy("Scheme", policy => policy.AddAuthenticationSchemes("Claims").RequireAuthenticatedUser()),
            Map = app =>
            {
                if (order.EndsWith("branch", StringComparison.Ordinal))
                {
                    app.MapWhen(
                        static _ => true, branch => Use(branch.UseRouting()).UseEndpoints(static routes => routes.MapReverseProxy().MapIotCredentials()));
                    return;
                }

                app.UseRouting();
                Use(app);
                app.MapReverseProxy().MapIotCredentials();
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        for (var times = 0; times < 2; times++)
        {
            var member = await AskAsync(host, "organizations=o-acme");
            if (isTold) AssertContract(401, member);
            else Assert.True(member.Status == 200, $"{member.Status} {plugin.Log.Text}");
            AssertContract(401, await AskAsync(host));
        }

        Assert.Equal(isTold ? 1 : 0, plugin.Log.Count(LogLevel.Error, TooLate));

        IApplicationBuilder Use(IApplicationBuilder app) => isFirst ? app.UseAuthorization().UseAuthentication() : app.UseAuthentication().UseAuthorization();
    }

    [Fact]
    public async Task A_refusal_of_the_hosts_own_policy_has_the_contracts_form_on_the_credential_route_only()
    {
        var plugin = new PluginHost
        {
            Policy = "Operators",
            Configure = services => services.AddAuthorizationBuilder().AddPolicy("Operators", policy => policy.RequireRole("operator")),
            Map = app =>
            {
                app.MapReverseProxy().MapIotCredentials();
                app.MapGet("/own", () => "").RequireAuthorization("Operators");
            },
        };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        AssertContract(401, await AskAsync(host));
        AssertContract(403, await AskAsync(host, "organizations=o-acme"));
        Assert.Equal((401, ""), await BodyAsync(host));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_hosts_own_result_handler_stays(bool isBefore)
    {
        static void Add(IServiceCollection services) => services.AddSingleton<IAuthorizationMiddlewareResultHandler, Teapot>();
        var plugin = isBefore ? new PluginHost { Handler = new PluginHost().Handler + Add } : new PluginHost { Configure = Add };
        await using var host = plugin.Build();
        await host.StartAsync(TestContext.Current.CancellationToken);

        Assert.Equal(418, (await AskAsync(host)).Status);
    }

    private static void LetEveryoneIn(IServiceCollection services) =>
        services.AddAuthorizationBuilder().AddPolicy("Members", policy => policy.RequireAssertion(static _ => true));

    private static void AssertContract(int status, Response response)
    {
        Assert.Equal((status, status == 401 ? "Unauthenticated" : "Forbidden"), (response.Status, response.Error));
        Assert.Equal("no-store", response.Headers.CacheControl?.ToString());
    }

    private Task<Response> AskAsync(WebApplication host, params string[] claims) => aws.Client.SendAsync(
        host.Urls.First() + Requests.CredentialsPath("o-acme"),
        change: request =>
        {
            if (claims.Length > 0) request.Headers.Add("X-Claim", claims);
        });

    private async Task<(int Status, string Body)> BodyAsync(WebApplication host)
    {
        using var response = await aws.Client.GetAsync(new Uri(host.Urls.First() + "/own"));
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private sealed class Yes : IAuthorizationService
    {
        public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, IEnumerable<IAuthorizationRequirement> requirements) =>
            Task.FromResult(AuthorizationResult.Success());

        public Task<AuthorizationResult> AuthorizeAsync(ClaimsPrincipal user, object? resource, string policyName) =>
            Task.FromResult(AuthorizationResult.Success());
    }

    private sealed class YesForAll : AuthorizationHandler<OrganizationAccessRequirement>
    {
        protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement)
        {
            context.Succeed(requirement);
            return Task.CompletedTask;
        }
    }

    private sealed class Identities(params ClaimsIdentity[] identities) : IClaimsTransformation
    {
        public Task<ClaimsPrincipal> TransformAsync(ClaimsPrincipal principal) => Task.FromResult(new ClaimsPrincipal(identities));
    }

    private sealed class Teapot : IAuthorizationMiddlewareResultHandler
    {
        public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
        {
            context.Response.StatusCode = StatusCodes.Status418ImATeapot;
            return Task.CompletedTask;
        }
    }
}
