using System.Text.Json;
using System.Text.RegularExpressions;
using Testing;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Deployment.Tests;

/// <summary>
/// <c>deploy/prometheus</c> and <c>deploy/grafana</c>, as Prometheus reads them, and the commands of docs/runbook.md. That the metrics exist is tested on a
/// running gateway, in Gateway.Tests.
/// </summary>
public sealed partial class PrometheusTests : IDisposable
{
    private static readonly string s_rules = Tool.Deploy("prometheus", "rules.yaml");
    private static readonly string s_ruleTests = Tool.Deploy("prometheus", "rules.test.yaml");

    private readonly string _folder = Directory.CreateTempSubdirectory("prometheus-").FullName;

    public static TheoryData<string> Dashboards =>
        [.. Directory.GetFiles(Tool.Deploy("grafana", "dashboards"), "*.json").Select(static file => Path.GetFileName(file))];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public Task Prometheus_accepts_the_configuration_and_the_alerts_without_a_warning() =>
        SucceedsAsync("check", "config", "--lint=all", "--lint-fatal", Tool.Deploy("prometheus", "prometheus.yaml"));

    [Fact]
    public Task The_alerts_fire_and_are_silent_as_their_tests_say() => SucceedsAsync("test", "rules", s_ruleTests);

    [Theory]
    [InlineData("{job=\"iot-gateway\"} == 1)", "{job=\"iot-gateway\"} == 0)")]
    [InlineData("> 0.8 *", "> 80 *")]
    [InlineData("for: 2m", "for: 20m")]
    [InlineData(" offset 15m)", ")")]
    [InlineData(" and up{job=\"iot-gateway\"}", "")]
    public async Task The_tests_of_the_alerts_notice_a_changed_rule(string written, string changed)
    {
        var rules = File.ReadAllText(s_rules);
        Assert.Contains(written, rules, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "rules.yaml"), rules.Replace(written, changed, StringComparison.Ordinal));
        File.Copy(s_ruleTests, Path.Combine(_folder, "rules.test.yaml"));

        var tested = await Tool.RunAsync("promtool", ["test", "rules", Path.Combine(_folder, "rules.test.yaml")]);

        Assert.Contains("FAILED", tested.All, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_alert_is_tested_firing_and_silent()
    {
        var alerts = Documents(s_rules).Select(static node => node.Children).Where(static map => map.ContainsKey("alert"));
        var cases = Documents(s_ruleTests).Select(static node => node.Children).Where(static map => map.ContainsKey("alertname")).ToList();

        Assert.All(alerts.Select(static alert => (string)alert["alert"]!), alert =>
        {
            var expected = cases.Where(each => (string)each["alertname"]! == alert)
                .Select(static each => ((YamlSequenceNode)each["exp_alerts"]).Children.Count).ToList();
            Assert.Contains(0, expected);
            Assert.Contains(expected, static count => count > 0);
        });
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public async Task Prometheus_understands_the_queries_of_a_dashboard(string dashboard)
    {
        using var board = Read(dashboard);
        var queries = board.RootElement.GetProperty("panels").EnumerateArray()
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray()).Select(static target => target.GetProperty("expr").GetString()!)
            .Select(static (query, i) => new { record = $"panel:{i}", expr = query.Replace("$__rate_interval", "5m", StringComparison.Ordinal) });
        var file = Path.Combine(_folder, "queries.json");
        // JSON is YAML, too.
        File.WriteAllText(file, JsonSerializer.Serialize(new { groups = new[] { new { name = dashboard, rules = queries } } }));

        await SucceedsAsync("check", "rules", file);
    }

    [Theory]
    [MemberData(nameof(Dashboards))]
    public void A_dashboard_takes_its_data_source_from_a_variable(string dashboard)
    {
        using var board = Read(dashboard);
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().ToList();
        var variables = board.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray();

        Assert.Equal(Path.GetFileNameWithoutExtension(dashboard), board.RootElement.GetProperty("uid").GetString());
        Assert.Equal("datasource", variables.First().GetProperty("type").GetString());
        Assert.All(panels, static panel => Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
        Assert.Equal(panels.Count, panels.Select(static panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.False(board.RootElement.TryGetProperty("id", out _), "an id of another Grafana");
    }

    [Fact]
    public void Grafana_finds_the_dashboards_where_the_guide_puts_them()
    {
        var maps = Documents(Tool.Deploy("grafana", "provisioning", "dashboards", "iot-gateway.yaml"));
        var options = Assert.Single(maps, static map => map.Children.ContainsKey("path"));

        Assert.Contains($" {options["path"]}/", File.ReadAllText(Tool.Deploy("README.md")), StringComparison.Ordinal);
    }

    // Grafana derives the shortest range of a rate from it.
    [Fact]
    public void Grafana_knows_how_often_Prometheus_scrapes()
    {
        var prometheus = Assert.Single(Documents(Tool.Deploy("prometheus", "prometheus.yaml")), static map => map.Children.ContainsKey("scrape_interval"));
        var grafana = Documents(Tool.Deploy("grafana", "provisioning", "datasources", "prometheus.yaml"));

        Assert.Equal(prometheus["scrape_interval"], Assert.Single(grafana, static map => map.Children.ContainsKey("timeInterval"))["timeInterval"]);
    }

    [Fact]
    public async Task The_commands_of_the_runbook_select_members_that_the_logs_have()
    {
        var log = Path.Combine(_folder, "log");
        var lines = JsonBlock().Matches(File.ReadAllText(Doc("access-log.md")))
            .Select(static block => JsonSerializer.Deserialize<JsonElement>(block.Groups["json"].Value)).ToList();
        Assert.Equal(3, lines.Count);
        File.WriteAllText(log, string.Concat(lines.Select(static line => JsonSerializer.Serialize(line) + "\n")));
        var members = lines.SelectMany(static line => line.EnumerateObject()).Select(static member => member.Name).ToHashSet(StringComparer.Ordinal);
        // Of the readiness report.
        members.Add("checks");
        var programs = JqProgram().Matches(File.ReadAllText(Doc("runbook.md"))).Select(static match => match.Groups["program"].Value).ToList();
        Assert.True(programs.Count > 10);

        foreach (var program in programs)
        {
            Assert.All(Member().Matches(program), member => Assert.True(members.Contains(member.Groups["name"].Value), $"{member.Value} in {program}"));
            if (program.Contains(".checks", StringComparison.Ordinal)) continue;
            var run = await Tool.RunAsync("jq", ["-r", program, log]);
            Assert.True(run.ExitCode == 0, $"{program}\n{run.All}");
        }
    }

    private static async Task SucceedsAsync(params string[] arguments)
    {
        var run = await Tool.RunAsync("promtool", arguments);
        Assert.True(run.ExitCode == 0, run.All);
    }

    private static JsonDocument Read(string dashboard) => JsonDocument.Parse(File.ReadAllText(Tool.Deploy("grafana", "dashboards", dashboard)));

    private static string Doc(string page) => Path.Combine(Repository.Root, "docs", page);

    /// <summary>Every mapping of a YAML file, at any depth.</summary>
    private static IEnumerable<YamlMappingNode> Documents(string file)
    {
        var yaml = new YamlStream();
        using var reader = File.OpenText(file);
        yaml.Load(reader);
        return [.. yaml.Documents.SelectMany(static document => document.AllNodes).OfType<YamlMappingNode>()];
    }

    [GeneratedRegex("```json\n(?<json>.+?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();

    [GeneratedRegex("jq (-[a-z]+ )?'(?<program>[^']+)'")]
    private static partial Regex JqProgram();

    [GeneratedRegex(@"(?<![\w""])\.(?<name>[a-zA-Z]+)")]
    private static partial Regex Member();
}
