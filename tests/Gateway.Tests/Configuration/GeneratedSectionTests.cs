using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Commands;
using Gateway.Configuration.DryRun;
using Gateway.Configuration.Loading;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;
using Gateway.Routes;
using Microsoft.AspNetCore.Http;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>
/// Thousands of sections, good and broken by chance. Validation judges each without failing; what it accepts is built, and decides every request;
/// what it refuses changes nothing. Another seed: <c>GENERATED_SEED</c>; another number: <c>GENERATED_COUNT</c>, 5,000 in <c>.ci/run</c>.
/// </summary>
[Trait("Category", "Long")]
public sealed class GeneratedSectionTests(ITestOutputHelper output)
{
    private static readonly int s_liveSections = Sample.Count(20, 40);
    private static readonly int s_seed = Number("GENERATED_SEED", 20261);
    private static readonly int s_count = Number("GENERATED_COUNT", 150);

    [Fact]
    public async Task A1_A3_A6_A7_A8_A9_A10_Sections_are_refused_or_decide_every_request()
    {
        using var configuration = new ConfigurationFixture();
        var settings = JsonNode.Parse(Example.Json, documentOptions: new() { CommentHandling = System.Text.Json.JsonCommentHandling.Skip })!.AsObject();
        foreach (var key in (string[])["IotCredentials", "ConnectionStrings", "Sealing"]) settings.Remove(key);
        var (random, accepted, watch) = (new Random(s_seed), 0, Stopwatch.StartNew());
        output.WriteLine($"GENERATED_SEED={s_seed}");
        for (var number = 0; number < s_count; number++)
        {
            var section = new GeneratedSection(random, "http://127.0.0.1:5001", breaks: number % 2 == 0 ? 4 : 30);
            settings["ReverseProxy"] = section.Json;
            configuration.Write("appsettings.json", settings.ToJsonString());
            var read = configuration.Load();
            Assert.False(read.CannotRead, Told(section, number, read));
            Assert.All(read.Findings, finding =>
            {
                Assert.StartsWith("ReverseProxy:", finding.Key, StringComparison.Ordinal);
                Assert.Equal("appsettings.json:1", finding.Source);
            });
            if (read.Snapshot is not { } snapshot) continue;
            accepted++;
            await DecidesAsync(section, number, snapshot);
        }

        output.WriteLine($"{s_count} sections, {accepted} accepted: {watch.Elapsed}");
        Assert.InRange(accepted, s_count / 20, s_count - (s_count / 20));
    }

    [Fact]
    public async Task A2_A_gateway_serves_each_section_that_is_accepted_and_none_that_is_refused()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        var before = gateway.Folder.Read("appsettings.json");
        var (random, accepted) = (new Random(s_seed), 0);
        output.WriteLine($"GENERATED_SEED={s_seed}");
        for (var number = 0; number < s_liveSections * 20 && accepted < s_liveSections; number++)
        {
            var section = new GeneratedSection(random, world.Downstream.Url, breaks: number % 2 == 0 ? 0 : 10);
            var settings = JsonNode.Parse(before)!.AsObject();
            var routes = section.Json["Routes"]!.AsObject();
            settings["ReverseProxy"] = section.Json;
            // Only in this section: it tells whether the section is in force.
            routes[$"mark{number}"] = JsonNode.Parse(
                $$"""{ "ClusterId": "mark", "Order": -9, "Match": { "Path": "/mark/{{number}}" },"""
                    + $$""" "Transforms": [{ "ResponseHeader": "X-Mark", "Set": "{{number}}" }] }""");
            section.Json["Clusters"]!["mark"] = JsonNode.Parse($$"""{ "Destinations": { "a": { "Address": "{{world.Downstream.Url}}" } } }""");
            gateway.Folder.Write("appsettings.json", settings.ToJsonString());
            await gateway.CheckForChangesAsync();

            var mark = await gateway.SendAsync($"/mark/{number}", world.Token());
            // A route of the section before may take every path.
            Assert.True(mark.Headers.Contains("X-Mark") != gateway.IsConfigurationRefused, $"{number}: {section}\n{gateway.Log.Text}");
            if (gateway.IsConfigurationRefused) continue;
            accepted++;
            await AgreesAsync(world, gateway, section, number);
        }

        output.WriteLine($"{accepted} accepted");
        Assert.Equal(s_liveSections, accepted);
    }

    private static async Task DecidesAsync(GeneratedSection section, int number, Snapshot snapshot)
    {
        using var services = TrialServices.Of(ConfigurationDryRun.Alone(snapshot));
        var router = new Router(services, RoutesExtensions.Endpoints(services).Endpoints);
        foreach (var (method, target, host, header) in section.Requests)
        {
            var context = new ExplainedRequest(method, target, host ?? "localhost").Context(services);
            if (header is not null) context.Request.Headers["X-V"] = header;
            try
            {
                await router.FindAsync(context);
            }
            catch (Exception exception)
            {
                Assert.Fail($"{number}: {method} {target} at {host} with {header}: {exception.Message}\n{section}");
            }
        }
    }

    private static async Task AgreesAsync(World world, RunningGateway gateway, GeneratedSection section, int number)
    {
        var environment = new ProgramEnvironment("Test", new Dictionary<string, string?>());
        var snapshot = environment.Load(["--config", gateway.Folder.Path]).Snapshot!;
        await using var idle = IdleGateway.BuildAlone(snapshot, environment);
        foreach (var (method, target, host, header) in section.Requests)
        {
            var token = world.Token("o-1");
            var response = await gateway.SendAsync(target, token, method, request =>
            {
                if (host is not null) request.Headers.Host = host;
                if (header is not null) request.Headers.Add("X-V", header);
            });
            if (response.Status is 500 or 502 or 503) Assert.Fail(Where());

            // explain knows of no headers.
            if (header is not null) continue;
            var explainer = new Explainer(snapshot, environment.Variables, idle.Services, RouteOrder.Of(idle));
            var explained = await explainer.ExplainAsync(new ExplainedRequest(method, target, host ?? explainer.AnyHost), "o-1", token, apiKey: null);
            if ((explained.Refused ?? StatusCodes.Status200OK) != response.Status)
                Assert.Fail($"explain says {explained.Refused} ({explained.Why}), and {Where()}");

            string Where() =>
                $"{number}: {method} {target} at {host} with {header} is {response.Status} {response.Body}\n{section}\n{gateway.Log.Text}";
        }
    }

    private static string Told(GeneratedSection section, int number, LoadResult read) => $"{number}: {section}\n{string.Join('\n', read.Findings)}";

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
