using System.Collections.Frozen;
using System.Security.Claims;
using Gateway.Authentication;
using Gateway.Authorization;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Gateway.Tests.Authorization;

/// <summary>The gateway's authorization service decides what the framework's decides.</summary>
public sealed class CallerAuthorizationServiceTests
{
    private static readonly OrganizationIdFormat s_format =
        OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Prefix = "o-", Characters = "a-z" }, out _)!;

    private static readonly (string Name, ClaimsPrincipal User)[] s_callers =
    [
        ("nobody", new ClaimsPrincipal()),
        ("an identity that is not authenticated", new ClaimsPrincipal(new ClaimsIdentity())),
        ("another kind of identity", new ClaimsPrincipal(new ClaimsIdentity([new Claim("organizations", "o-a")], "Bearer"))),
        ("a member", Caller(organizations: ["o-a"])),
        ("a member with the scope", Caller(organizations: ["o-a"], scopes: ["iot"])),
        ("a member with the role", Caller(organizations: ["o-a"], roles: ["operator"])),
        ("a member of another organization", Caller(organizations: ["o-b"], scopes: ["iot"], roles: ["operator"])),
        ("a member by another scheme", Caller(organizations: ["o-a"], scheme: "Other")),
    ];

    private static readonly (string Name, AuthorizationPolicy Policy)[] s_policies =
    [
        ("any caller", AuthorizationPolicies.AnyCaller),
        ("anyone", AuthorizationPolicies.Anyone),
        ("organization", AuthorizationPolicies.Build(new() { RequireOrganization = true })),
        ("scope", AuthorizationPolicies.Build(new() { Scopes = ["iot"] })),
        ("organization and role", AuthorizationPolicies.Build(new() { RequireOrganization = true, Roles = ["operator"] })),
        ("organization and scheme", AuthorizationPolicies.Build(new() { RequireOrganization = true, Schemes = ["Platform"] })),
        ("a requirement of another kind", new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim("sub", "alice").Build()),
    ];

    public static TheoryData<string, string> Decisions =>
        new(s_callers.SelectMany(static _ => s_policies, static (caller, policy) => (caller.Name, policy.Name)));

    [Theory]
    [MemberData(nameof(Decisions))]
    public async Task It_decides_as_the_framework_does(string caller, string policy)
    {
        using var services = Services();
        var (user, requirements) = (s_callers.Single(each => each.Name == caller).User, s_policies.Single(each => each.Name == policy).Policy.Requirements);

        foreach (object? resource in (object?[])[Id("o-a"), Id("o-b"), null])
        {
            var expected = await services.GetRequiredService<DefaultAuthorizationService>().AuthorizeAsync(user, resource, requirements);
            var actual = await services.GetRequiredService<IAuthorizationService>().AuthorizeAsync(user, resource, requirements);

            Assert.Equal(expected.Succeeded, actual.Succeeded);
            Assert.Equal(expected.Failure?.FailedRequirements, actual.Failure?.FailedRequirements);
        }
    }

    [Fact]
    public async Task No_requirement_is_no_permission()
    {
        using var services = Services();

        Assert.False((await services.GetRequiredService<IAuthorizationService>().AuthorizeAsync(Caller(["o-a"]), null, [])).Succeeded);
    }

    [Fact]
    public async Task Another_handler_can_still_refuse()
    {
        using var services = Services(new Refusal());
        var policy = AuthorizationPolicies.Build(new() { RequireOrganization = true });

        Assert.False((await services.GetRequiredService<IAuthorizationService>().AuthorizeAsync(Caller(["o-a"]), Id("o-a"), policy.Requirements)).Succeeded);
    }

    private static ServiceProvider Services(IAuthorizationHandler? more = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.AddPolicies();
        builder.Services.AddLogging();
        if (more is not null) builder.Services.AddSingleton(more);
        return builder.Services.BuildServiceProvider();
    }

    private static OrganizationId Id(string text) => s_format.TryParse(text, out var id) ? id : throw new ArgumentException(text);

    private static ClaimsPrincipal Caller(string[] organizations, string[]? scopes = null, string[]? roles = null, string scheme = "Platform") =>
        new(new CallerIdentity("https://id.example.com", "alice", DateTimeOffset.MaxValue)
        {
            Scheme = scheme,
            NotBefore = DateTimeOffset.MinValue,
            Organizations = organizations.ToFrozenSet(),
            Roles = (roles ?? []).ToFrozenSet(),
            Scopes = (scopes ?? []).ToFrozenSet(),
        });

    private sealed class Refusal : IAuthorizationHandler
    {
        public Task HandleAsync(AuthorizationHandlerContext context)
        {
            context.Fail();
            return Task.CompletedTask;
        }
    }
}
