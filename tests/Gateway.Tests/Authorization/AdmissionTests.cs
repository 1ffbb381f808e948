using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Authorization;

/// <summary>A known caller gets what an unknown one gets, and each of its requests is counted once.</summary>
public sealed class AdmissionTests(AdmissionTests.Platform platform) : IClassFixture<AdmissionTests.Platform>
{
    private const string Scheme = "Platform";

    private static readonly string s_vend = Requests.CredentialsPath("o-acme");

    public static TheoryData<string, string, int, string?> Cases => new()
    {
        { "GET", s_vend, 200, null },
        { "GET", "/organizations/o-acme/devices", 200, null },
        { "GET", "/scoped/1", 200, null },
        { "GET", "/open/1", 200, null },
        { "GET", Requests.CredentialsPath("o-other"), 403, "Forbidden" },
        { "GET", "/organizations/o-other/devices", 403, "Forbidden" },
        { "GET", "/roles/1", 403, "Forbidden" },
        { "POST", s_vend, 405, "MethodNotAllowed" },
        { "GET", Requests.CredentialsPath("nobody"), 422, "ValidationError" },
        { "GET", "/organizations/nobody/devices", 422, "ValidationError" },
        { "GET", s_vend + "?minimumLifetime=x", 422, "ValidationError" },
        // The organization is another's, and the number is wrong, too: the precondition comes first.
        { "GET", Requests.CredentialsPath("o-other") + "?minimumLifetime=x", 422, "ValidationError" },
        { "GET", "/nowhere", 404, "NotFound" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_known_caller_gets_what_it_got_before_it_was_known(string method, string path, int status, string? error)
    {
        var token = platform.World.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Scopes = (string[])["a"] });
        using var measured = new Measurements(platform.Gateway);
        var answers = new List<Response>();
        for (var i = 0; i < 3; i++) answers.Add(await platform.SendAsync(path, token, method));

        Assert.All(answers, answer => Assert.Equal(status, answer.Status));
        if (error is not null) Assert.All(answers, answer => Assert.Contains($"\"{error}\"", answer.Body, StringComparison.Ordinal));
        Assert.Equal(answers.Count, measured[$"gateway.authentications {Scheme} accepted"]);
    }

    [Fact]
    public async Task The_framework_judges_the_first_request_and_every_refused_one_and_no_other()
    {
        var token = platform.World.Token("o-acme");

        Assert.Equal((200, 1), await JudgedAsync(s_vend));
        Assert.Equal((200, 0), await JudgedAsync(s_vend));
        Assert.Equal((200, 0), await JudgedAsync("/organizations/o-acme/devices"));
        Assert.Equal((403, 1), await JudgedAsync("/organizations/o-other/devices"));
        Assert.Equal((422, 1), await JudgedAsync("/organizations/nobody/devices"));
        Assert.Equal((200, 1), await JudgedAsync("/open/1"));
        Assert.Equal((404, 1), await JudgedAsync("/nowhere"));

        async Task<(int Status, int Judged)> JudgedAsync(string path)
        {
            var before = platform.Evaluator.Count;
            return ((await platform.SendAsync(path, token)).Status, platform.Evaluator.Count - before);
        }
    }

    [Fact]
    public async Task A_known_callers_token_does_not_admit_another_header()
    {
        var token = platform.World.Token("o-acme");
        Assert.Equal(200, (await platform.SendAsync(s_vend, token)).Status);

        string[][] refused = [[$"Bearer {token}", $"Bearer {token}"], [$"Bearer {token}x"], [$"Bearer x{token}"], [$"Basic {token}"], [token], []];
        foreach (var values in refused)
        {
            string[] headers = [.. values.Select(static value => $"Authorization: {value}")];
            Assert.Equal(401, (await RawHttp.SendAsync(platform.Gateway.Url, s_vend, "GET", headers)).Status);
        }
    }

    public sealed class Platform : PlatformFixture
    {
        internal CountingEvaluator Evaluator { get; } = new();

        protected override void Replace(IServiceCollection services) => services.AddSingleton<IPolicyEvaluator>(provider =>
        {
            Evaluator.Framework = new PolicyEvaluator(provider.GetRequiredService<IAuthorizationService>());
            return Evaluator;
        });

        protected override void Change(JsonObject settings) => settings
            .Set("Authorization:Policies:Scoped", """{ "Scopes": ["a", "b"] }""")
            .Set("Authorization:Policies:InRole", """{ "Roles": ["a", "b"] }""")
            .Route("scoped", "/scoped/{**rest}", """{ "AuthorizationPolicy": "Scoped" }""")
            .Route("roles", "/roles/{**rest}", """{ "AuthorizationPolicy": "InRole" }""");
    }

    internal sealed class CountingEvaluator : IPolicyEvaluator
    {
        public IPolicyEvaluator Framework { get; set; } = null!;

        public int Count { get; private set; }

        public Task<AuthenticateResult> AuthenticateAsync(AuthorizationPolicy policy, HttpContext context) => Framework.AuthenticateAsync(policy, context);

        public Task<PolicyAuthorizationResult> AuthorizeAsync(
            AuthorizationPolicy policy, AuthenticateResult authenticationResult, HttpContext context, object? resource)
        {
            Count++;
            return Framework.AuthorizeAsync(policy, authenticationResult, context, resource);
        }
    }
}
