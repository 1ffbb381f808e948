using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Tests.Configuration;

/// <summary>A change that cannot be put into effect changes nothing, and the next good one is in force: shown by what a route responds with.</summary>
public sealed class ReloadFaultTests : IAsyncLifetime
{
    private readonly Faults _faults = new();
    private World _world = null!;
    private RunningGateway _gateway = null!;
    private JsonObject _settings = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync();
        _gateway = await _world.StartGatewayAsync(
            settings => _settings = settings.WithoutRedis().Route("r", "/r", """{ "AuthorizationPolicy": "Anonymous" }"""),
            services => services.AddSingleton<MatcherPolicy>(_faults).AddSingleton<ITransformProvider>(_faults));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    /// <summary>
    /// o: the route r is open. c: it is closed. h, k, p: closed beside a host, a constraint or a transform that nothing can be built from.
    /// T, M: closed, and a transform or the router fails past validation, once. S: the same as before, and the router fails.
    /// </summary>
    [Theory]
    [InlineData("A2 the reported case", "ohc")]
    [InlineData("A2 a constraint", "okc")]
    [InlineData("A2 a transform", "opc")]
    [InlineData("A2 bad, bad, good", "ohkcohpo")]
    [InlineData("A2 a router that fails past validation", "oMc")]
    [InlineData("A2 a transform that fails past validation", "oTc")]
    [InlineData("A2 failures of all kinds, one after another", "oMTMhkMcoTo")]
    [InlineData("A2 open and closed between failures", "cMoMcToThckMo")]
    public async Task A2_After_each_change_a_route_responds_by_the_last_good_one(string name, string sequence)
    {
        var (isOpen, step) = (true, 0);
        foreach (var change in sequence)
        {
            var isGood = change is 'o' or 'c';
            if (isGood) isOpen = change == 'o';
            _faults.Transforms = change == 'T' ? 1 : 0;
            _faults.Matchers = change == 'M' ? 1 : 0;
            Write(change, ++step);
            await _gateway.CheckForChangesAsync();

            Expect(!isGood, _gateway.IsConfigurationRefused);
            Expect(isOpen ? 200 : 401, (await _gateway.SendAsync("/r")).Status);
            // A route of this change alone: it is there, or it is not.
            Expect(isGood ? 200 : 404, (await _gateway.SendAsync($"/new{step}", _world.Token())).Status);
            Assert.Equal(isGood ? "Healthy" : "Degraded", (await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready")).Body);

            void Expect<T>(T expected, T found)
            {
                if (!Equals(expected, found)) Assert.Fail($"{name}, change {step} ({change}): {found} in place of {expected}\n{_gateway.Log.Text}");
            }
        }
    }

    [Fact]
    public async Task A2_A_router_that_stopped_following_is_not_ready_and_says_restart()
    {
        // The framework builds its router for the first request. Of the two that are built for a change, the second is its own.
        Assert.Equal(200, (await _gateway.SendAsync("/r")).Status);
        _faults.Matchers = 2;
        Write('c', 1);
        await _gateway.CheckForChangesAsync();
        Assert.Equal(503, (await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready")).Status);

        Write('c', 2);
        await _gateway.CheckForChangesAsync();
        var ready = await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready");
        Assert.Equal((503, "Unhealthy"), (ready.Status, ready.Body));
        Assert.Contains("restart the gateway", _gateway.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A2_A_change_that_is_taken_back_ends_the_doubt_about_what_is_in_force()
    {
        _faults.AllTransforms = true;
        Write('c', 1);
        await _gateway.CheckForChangesAsync();
        Assert.Equal(503, (await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready")).Status);
        // Of the exception's message, a finding shows no secret.
        var refused = _gateway.Log.Text[_gateway.Log.Text.IndexOf("cannot be put into effect: ", StringComparison.Ordinal)..].Split('\n')[0];
        Assert.Contains("injected", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused, StringComparison.Ordinal);

        _faults.AllTransforms = false;
        _gateway.Folder.Write("appsettings.json", _settings.ToJsonString());
        await _gateway.CheckForChangesAsync();

        var ready = await _world.Client.SendAsync($"{_gateway.ManagementUrl}/health/ready");
        Assert.Equal((200, "Healthy"), (ready.Status, ready.Body));
        Assert.Equal(200, (await _gateway.SendAsync("/r")).Status);
    }

    [Fact]
    public async Task A2_The_gateways_own_looks_find_the_correction()
    {
        Write('h', 1);
        await _gateway.Log.WaitForAsync(Microsoft.Extensions.Logging.LogLevel.Error, "is rejected");
        Write('c', 2);
        await _gateway.Log.WaitForAsync(Microsoft.Extensions.Logging.LogLevel.Information, "are in effect");
        Assert.Equal(401, (await _gateway.SendAsync("/r")).Status);
    }

    private void Write(char change, int step)
    {
        var settings = JsonNode.Parse(_settings.ToJsonString())!.AsObject();
        if (change == 'o') settings.Set("ReverseProxy:Routes:r:AuthorizationPolicy", "\"Anonymous\"");
        else settings["ReverseProxy"]!["Routes"]!["r"]!.AsObject().Remove("AuthorizationPolicy");
        settings.Route($"new{step}", $"/new{step}");
        if (change == 'h') settings.Route("bad", "/bad", """{ "Match": { "Hosts": ["https://www.example.com"] } }""");
        if (change == 'k') settings.Route("bad", "/bad/{x:none}");
        if (change == 'p') settings.Route("bad", "/bad", """{ "Transforms": [{ "PathPattern": "/{x/{y}" }] }""");
        _gateway.Folder.Write("appsettings.json", settings.ToJsonString());
    }

    /// <summary>Parts of a host that validation does not know, and that throw as often as they are told to.</summary>
    private sealed class Faults : MatcherPolicy, INodeBuilderPolicy, ITransformProvider
    {
        private int _transforms;
        private int _matchers;

        /// <summary>Which of the next routes' transforms fails, counted from 1; 0: none.</summary>
        public int Transforms { set => _transforms = value; }

        /// <summary>Which of the next routers fails, counted from 1; 0: none.</summary>
        public int Matchers { set => _matchers = value; }

        /// <summary>Whether every transform fails.</summary>
        public bool AllTransforms { get; set; }

        public override int Order => 10_000;

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints)
        {
            // Of each router's nodes, one has the route r.
            if (endpoints.Any(endpoint => endpoint is RouteEndpoint { RoutePattern.RawText: "/r" })) Fail(ref _matchers);
            return false;
        }

        public IReadOnlyList<PolicyNodeEdge> GetEdges(IReadOnlyList<Endpoint> endpoints) => throw new NotSupportedException();

        public PolicyJumpTable BuildJumpTable(int exitDestination, IReadOnlyList<PolicyJumpTableEdge> edges) => throw new NotSupportedException();

        public void Apply(TransformBuilderContext context)
        {
            if (AllTransforms) _transforms = 1;
            Fail(ref _transforms);
        }

        public void ValidateRoute(TransformRouteValidationContext context) { }

        public void ValidateCluster(TransformClusterValidationContext context) { }

        private static void Fail(ref int countdown)
        {
            if (countdown > 0 && --countdown == 0) throw new InvalidOperationException("injected, Password=hunter2");
        }
    }
}
