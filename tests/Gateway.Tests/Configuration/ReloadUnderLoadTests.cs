using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>
/// Reloads under load, between two good configurations that differ in policy, cluster and profile, and broken ones in between. Who may come
/// by the policy of the one must never be served by the other's cluster or profile.
/// </summary>
[Collection(LoadTests.Name)]
public sealed class ReloadUnderLoadTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Reloads = 200;

    private World _world = null!;
    private OrganizationService _first = null!;
    private OrganizationService _second = null!;
    private OrganizationService _never = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync();
        _first = await OrganizationService.StartAsync();
        _second = await OrganizationService.StartAsync();
        _never = await OrganizationService.StartAsync();
    }

    [Fact]
    public async Task No_request_fails_and_none_is_served_by_two_configurations()
    {
        var gateway = await _world.StartGatewayAsync(settings => First(settings.WithoutRedis()));
        var good = new[] { First(_world.Settings().WithoutRedis()), Second(_world.Settings().WithoutRedis()) };
        var broken = good.Select(Broken).ToArray();
        var everyone = new Caller(this, gateway, ["first", "second"], mayBeRefused: false);
        var callers = new[] { new Caller(this, gateway, ["first"], mayBeRefused: true), new Caller(this, gateway, ["second"], mayBeRefused: true), everyone };
        foreach (var caller in callers) await caller.CallOnceAsync();

        using var enough = new CancellationTokenSource();
        var load = callers.Select(caller => Task.Run(() => caller.CallAsync(enough.Token), TestContext.Current.CancellationToken)).ToArray();
        for (var reload = 0; reload < Reloads; reload++)
        {
            var isBroken = reload % 4 == 3;
            gateway.Folder.Write("appsettings.json", (isBroken ? broken : good)[reload / 2 % 2].ToJsonString());
            await gateway.CheckForChangesAsync();
            Assert.Equal(isBroken, gateway.IsConfigurationRefused);
            // So that each configuration is met by requests of its own.
            var answered = callers.Sum(caller => caller.Answers);
            await Eventually.IsTrueAsync(() => callers.Sum(caller => caller.Answers) >= answered + 6, () => gateway.Log.Text);
        }

        await enough.CancelAsync();
        await Task.WhenAll(load);

        output.WriteLine($"{Reloads} reloads, {callers.Sum(caller => caller.Answers)} answers, {callers.Sum(caller => caller.Served)} of them served");
        Assert.Empty(callers.SelectMany(caller => caller.Mistakes).Distinct());
        Assert.All(callers, caller => Assert.True(caller.Served > 0));
        Assert.Empty(_never.Requests.Snapshot());
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _first.DisposeAsync();
        await _second.DisposeAsync();
        await _never.DisposeAsync();
    }

    private JsonObject First(JsonObject settings) => Variant(settings, "first", "eu-west-1", _first);

    private JsonObject Second(JsonObject settings) => Variant(settings, "second", "us-east-1", _second);

    private static JsonObject Variant(JsonObject settings, string role, string region, OrganizationService service) => settings
        .Set("Authorization:Policies:OrganizationMember", $$"""{ "RequireOrganization": true, "Roles": ["{{role}}"] }""")
        .Set("IotCredentials:Profiles:default:Region", $"\"{region}\"")
        .Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"{service.Url}\"");

    // By YARP's own reading the route would be open to any caller, and lead to a service that nobody is to reach.
    private JsonObject Broken(JsonObject good)
    {
        var settings = good.DeepClone().AsObject().Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"{_never.Url}\"");
        var route = settings["ReverseProxy"]!["Routes"]!["organizations"]!.AsObject();
        route.Remove("AuthorizationPolicy");
        route["AuthorisationPolicy"] = "OrganizationMember";
        return settings;
    }

    private sealed class Caller(ReloadUnderLoadTests test, RunningGateway gateway, string[] roles, bool mayBeRefused)
    {
        private readonly string _token = test._world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Roles = roles });
        private int _answers;
        private int _served;

        public int Answers => Volatile.Read(ref _answers);

        public int Served => _served;

        public ConcurrentQueue<string> Mistakes { get; } = new();

        public async Task CallAsync(CancellationToken enough)
        {
            while (!enough.IsCancellationRequested)
            {
                await CallOnceAsync();
                await Task.Delay(TimeSpan.FromMilliseconds(2), CancellationToken.None);
            }
        }

        public async Task CallOnceAsync()
        {
            Judge(
                await gateway.SendAsync("/organizations/o-acme/things", _token),
                "first", $"\"{test._first.Url[7..]}\"", "second", $"\"{test._second.Url[7..]}\"");
            Judge(await gateway.SendAsync(Requests.CredentialsPath("o-acme"), _token), "first", "\"eu-west-1\"", "second", "\"us-east-1\"");
        }

        private void Judge(Response answer, string role, string mark, string otherRole, string otherMark)
        {
            Interlocked.Increment(ref _answers);
            if (answer.Status == 200) Interlocked.Increment(ref _served);
            var servedBy = answer.Status == 403 ? null
                : answer.Body.Contains(mark, StringComparison.Ordinal) ? role
                : answer.Body.Contains(otherMark, StringComparison.Ordinal) ? otherRole
                : "?";
            if (answer.Status == 403 && mayBeRefused) return;
            if (answer.Status != 200 || !roles.Contains(servedBy)) Mistakes.Enqueue($"{answer.Status} by {servedBy} for {string.Join('+', roles)}");
        }
    }
}
