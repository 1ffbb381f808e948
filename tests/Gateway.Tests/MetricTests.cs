using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using Gateway.Telemetry;
using Gateway.Tests.Authentication;
using Gateway.Tests.Hosting;
using Gateway.Tests.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>docs/metrics.md lists every instrument of the gateway and of the plugin, with its kind, its unit and its name in the scrape of /metrics.</summary>
public sealed partial class MetricTests
{
    private const int ComparedColumns = 4;

    private static readonly string[] s_rows =
        [.. File.ReadLines(Path.Combine(Repository.Root, "docs", "metrics.md")).Where(line => line.StartsWith('|')).Skip(2)];

    [Fact]
    public async Task The_documentation_lists_each_as_it_is_exported()
    {
        using var certificates = new IssuedCertificates();
        certificates.Write("tls", certificates.Issue());
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.Set("ReverseProxy:Clusters:organizations:HealthCheck", """
            { "Passive": { "Enabled": true } }
            """).Set("IotCredentials:Directory", $$"""
            { "Address": "{{world.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["111122223333"] }
            """).AddIntrospection(world.Issuer, new SecretFile()).Set("Kestrel:Certificates:Default", $$"""
            { "Path": "{{certificates.PathOf("tls/tls.crt")}}", "KeyPath": "{{certificates.PathOf("tls/tls.key")}}" }
            """));
        // Parts that the first vend creates have instruments too.
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        var instruments = InstrumentsOf(gateway);
        // The exporter leaves out instruments without a measurement.
        foreach (var instrument in instruments) Measure(instrument);

        var scrape = (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;

        var exported = TypeLine().Matches(scrape).Select(line => (Name: line.Groups["name"].Value, Kind: line.Groups["kind"].Value)).ToArray();
        var expected = instruments.OrderBy(instrument => instrument.Name, StringComparer.Ordinal).Select(instrument => Row(instrument, exported));
        var documented = s_rows.Select(row => string.Join('|', row.Split('|')[..(ComparedColumns + 1)]) + "|");
        Assert.Equal(string.Join('\n', expected), string.Join('\n', documented));
    }

    /// <summary>F9: an alert on an increase sees the first one.</summary>
    [Fact]
    public async Task F9_every_counter_is_there_from_the_start_at_0()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings
            .Set("RateLimiting:Policies:Shared", """{ "Algorithm": "FixedWindow", "PermitLimit": 1, "Window": "01:00:00", "Store": "Redis" }"""));

        var scrape = await Scrape.ReadAsync(world, gateway);

        var counters = s_rows.Where(row => row.Split('|')[2].Trim() == "counter").Select(row => row.Split('|')[4].Trim(' ', '`')).ToList();
        Assert.True(counters.Count > 10);
        // The gateway has fetched its issuers' keys. On a busy machine Redis may have responded late, and the output may have been slow.
        string[] mayHaveHappened = ["gateway_issuer_fetches_total", "gateway_log_dropped_total", "iotcredentials_redis_failures_total"];
        Assert.All(counters, name => Assert.True(scrape.Sum(name) == 0 || mayHaveHappened.Contains(name), $"{name} {scrape.Sum(name)}"));
        Assert.All(mayHaveHappened, name => Assert.NotNull(scrape.Sum(name)));
        Assert.Equal(0, scrape.Sum("gateway_issuer_fetches_total", "outcome=\"failure\""));
        Assert.Equal(0, scrape.Sum("iotcredentials_vends_total", "profile=\"default\"", "outcome=\"throttled\""));
        Assert.Equal(0, scrape.Sum("aspnetcore_rate_limiting_requests_total", "aspnetcore_rate_limiting_policy=\"Shared\""));
    }

    [Fact]
    public void The_documentation_lists_every_failure_that_is_a_tag()
    {
        var outcomes = Assert.Single(s_rows, row => row.StartsWith("| `iotcredentials.vends`", StringComparison.Ordinal));
        var causes = Assert.Single(s_rows, row => row.StartsWith("| `iotcredentials.redis.failures`", StringComparison.Ordinal));
        var problems = typeof(RedisProblem).GetProperties().Where(property => property.PropertyType == typeof(RedisProblem))
            .Select(property => (RedisProblem)property.GetValue(null)!);

        Assert.All(Enum.GetNames<FailureClass>(), name => Assert.Contains($"`{name.ToLowerInvariant()}`", outcomes, StringComparison.Ordinal));
        Assert.All(problems, problem => Assert.Contains($"`{problem.Code}`", causes, StringComparison.Ordinal));
    }

    private static Instrument[] InstrumentsOf(RunningGateway gateway)
    {
        var factory = gateway.Services.GetRequiredService<IMeterFactory>();
        var instruments = new ConcurrentQueue<Instrument>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Scope == factory && instrument.Meter.Name is GatewayMetrics.MeterName or CredentialMetrics.MeterName)
                    instruments.Enqueue(instrument);
            },
        };
        listener.Start();
        return [.. instruments];
    }

    private static void Measure(Instrument instrument)
    {
        switch (instrument)
        {
            case Counter<long> counter:
                counter.Add(1);
                break;
            case Gauge<int> gauge:
                gauge.Record(1);
                break;
            case Histogram<double> histogram:
                histogram.Record(1);
                break;
            default:
                Assert.True(instrument.IsObservable, $"{instrument.Name}: {instrument.GetType()}");
                break;
        }
    }

    private static string Row(Instrument instrument, (string Name, string Kind)[] exported)
    {
        var beginning = instrument.Name.Replace('.', '_');
        var (name, kind) = Assert.Single(exported, metric => metric.Name.StartsWith(beginning, StringComparison.Ordinal));
        var unit = instrument.Unit is { Length: > 0 } text ? $"`{text}`" : "—";
        return $"| `{instrument.Name}` | {kind} | {unit} | `{name}` |";
    }

    [GeneratedRegex(@"^# TYPE (?<name>\S+) (?<kind>\S+)$", RegexOptions.Multiline)]
    private static partial Regex TypeLine();
}
