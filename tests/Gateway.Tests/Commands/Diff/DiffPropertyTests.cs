using System.Text.Json.Nodes;
using Gateway.Commands;
using Gateway.Configuration.Snapshots;
using Gateway.Differences;
using Gateway.Explanations;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Diff;

/// <summary>Random edits of a configuration: <c>diff</c> and <c>explain</c> agree about every request that is tried.</summary>
public sealed class DiffPropertyTests(ITestOutputHelper output) : IDisposable
{
    private const string ApiKey = "another-make-of-key-0123456789";

    private static readonly ProgramEnvironment s_environment = ProgramEnvironment.Of(new Dictionary<string, string?>());
    private static readonly string[] s_names = ["a", "b", "c", "d"];

    private static readonly string[] s_paths =
        ["/x/{**rest}", "/x/y/{**rest}", "/x/{id}", "/x/y", "/{**rest}", "/z/{a}/{b?}", "/x/{id:int}", "/x/{a}/y", "/x/y{a}"];

    private static readonly string[] s_requests =
        ["/x/y", "/x/1", "/x/y/z", "/x", "/z/1", "/z/1/2", "/other", "/x/y1", "/x/q/y", "/", "/organizations/o-acme/a", "/organizations/o-acme/b/c"];

    private static readonly string?[] s_policies = [null, "Anonymous", "Reader", "Writer", "Both"];

    private readonly List<GatewayFolder> _folders = [];

    public void Dispose() => _folders.ForEach(static folder => folder.Dispose());

    [Fact]
    public async Task No_edit_makes_diff_and_explain_disagree_about_a_request()
    {
        var seed = Seed.Of("DIFF_SEED");
        var random = seed.NewRandom();
        var (edits, opened, quiet) = (Sample.Count(8, 150), 0, 0);
        var (settings, before) = Valid(random, Start());
        var outcomes = await OutcomesAsync(before);
        for (var edit = 0; edit < edits; edit++)
        {
            var (edited, after) = Valid(random, settings);
            var changes = ConfigurationComparison.Of(before, after);
            var others = await OutcomesAsync(after);
            foreach (var (request, outcome) in outcomes)
            {
                var other = others[request];
                var why = $"{seed}, edit {edit}, {request}: {outcome} → {other}\n{settings}\n{edited}\n{string.Join('\n', changes)}";
                Assert.True(outcome == other || changes.Count > 0, why);
                Assert.True(outcome.Refused is null || other.Refused is not null || changes.Any(static change => change.Loosens), why);
                if (outcome.Refused is not null && other.Refused is null) opened++;
            }

            if (!changes.Any(static change => change.Loosens)) quiet++;
            (settings, before, outcomes) = (edited, after, others);
        }

        output.WriteLine($"{seed}: {edits} edits, {opened} requests opened, {quiet} edits that loosen nothing");
        // A few edits may all be of one kind.
        Assert.True(edits < 100 || (opened > 0 && quiet > 0), $"{seed}: {opened} opened, {quiet} quiet");
    }

    private static JsonObject Start()
    {
        var settings = ShippedSettings.Read();
        settings.Set("Authentication:ApiKeys:Keys:robot", $$"""
            { "Sha256": "{{Gateway.Authentication.ApiKeyText.Sha256Of(ApiKey)}}", "Organizations": ["o-acme"], "Scopes": ["read"] }
            """);
        foreach (var (name, scopes) in new[] { ("Reader", """["read"]"""), ("Writer", """["write"]"""), ("Both", """["read", "write"]""") })
            settings.Set($"Authorization:Policies:{name}:Scopes", scopes);
        foreach (var name in s_names[..2]) settings.Route(name, "/x/{**rest}".Replace("x", name, StringComparison.Ordinal));
        return settings;
    }

    // Edits until the configuration is valid.
    private (JsonObject Settings, Snapshot Snapshot) Valid(Random random, JsonObject settings)
    {
        while (true)
        {
            var edited = settings.DeepClone().AsObject();
            for (var count = random.Next(1, 3); count > 0; count--) Edit(random, edited);
            var folder = new GatewayFolder(edited);
            _folders.Add(folder);
            if (s_environment.Load(["--config", folder.Path]).Snapshot is { } snapshot) return (edited, snapshot);
        }
    }

    private static void Edit(Random random, JsonObject settings)
    {
        var routes = settings["ReverseProxy"]!["Routes"]!.AsObject();
        var name = Any(s_names);
        if (routes[name] is not JsonObject route || random.Next(6) == 0)
        {
            if (routes.Remove(name)) return;
            routes[name] = route = new JsonObject { ["ClusterId"] = "organizations", ["Match"] = new JsonObject { ["Path"] = Any(s_paths) } };
        }

        switch (random.Next(7))
        {
            case 0:
                route["Match"]!["Path"] = Any(s_paths);
                break;
            case 1:
                route["Order"] = random.Next(-1, 2);
                break;
            case 2:
                route["Match"]!["Methods"] = random.Next(2) == 0 ? new JsonArray("GET") : new JsonArray("POST", "GET");
                break;
            case 3:
                var policies = (string[])["Reader", "Writer", "Both"];
                settings.Set($"Authorization:Policies:{Any(policies)}:Scopes", Any(["""["read"]""", """["write"]""", """["read", "write"]"""]));
                break;
            case 4:
                settings.Set("Authentication:ApiKeys:Keys:robot:Scopes", Any(["""["read"]""", """["write"]""", "[]"]));
                break;
            default:
                if (Any(s_policies) is { } policy) route["AuthorizationPolicy"] = policy;
                else route.Remove("AuthorizationPolicy");
                break;
        }

        T Any<T>(T[] choices) => choices[random.Next(choices.Length)];
    }

    private static async Task<Dictionary<string, (int? Refused, string? Route)>> OutcomesAsync(Snapshot configuration)
    {
        await using var gateway = IdleGateway.BuildAlone(configuration, s_environment);
        var order = RouteOrder.Of(gateway);
        var outcomes = new Dictionary<string, (int?, string?)>();
        foreach (var path in s_requests)
            foreach (var method in (string[])["GET", "POST"])
                foreach (var key in (string?[])[null, ApiKey])
                {
                    var explainer = new Explainer(configuration, s_environment.Variables, gateway.Services, order);
                    var explanation = await explainer.ExplainAsync(new ExplainedRequest(method, path, "localhost"), null, null, key);
                    var refused = explanation.Refused ?? (key is null && explanation.Route is not { Anyone: true } ? 401 : null);
                    outcomes[$"{method} {path} {(key is null ? "without a key" : "with a key")}"] = (refused, explanation.Route?.Route);
                }

        return outcomes;
    }
}
