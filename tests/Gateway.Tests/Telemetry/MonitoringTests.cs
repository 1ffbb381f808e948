using System.Text.Json;
using System.Text.RegularExpressions;
using Testing;
using Xunit;
using YamlDotNet.Serialization;

namespace Gateway.Tests.Telemetry;

/// <summary>The alerts of deploy/prometheus, the dashboards of deploy/grafana and docs/runbook.md read what the gateway exports.</summary>
[Trait("Category", "Redis")]
public sealed partial class MonitoringTests(MeasuredGateway measured) : IClassFixture<MeasuredGateway>
{
    // Prometheus adds the first two to what it scrapes. OpenTelemetry adds the last one to a metric whose room is used up.
    private static readonly string[] s_targetLabels = ["job", "instance", "otel_metric_overflow"];
    private static readonly string[] s_targetMetrics = ["up"];

    private static readonly string s_runbook = Read("docs", "runbook.md");

    private static readonly string[] s_documented =
        [.. Read("docs", "metrics.md").Split('\n').Where(static line => line.StartsWith("| `", StringComparison.Ordinal))];

    public static TheoryData<string> Alerts => [.. Rules().Select(static rule => rule.Alert)];

    public static TheoryData<string, string> Panels =>
        [.. Dashboards().SelectMany(static file => Queries(file).Select(query => (Path.GetFileName(file), query)).Distinct())];

    [Theory]
    [MemberData(nameof(Alerts))]
    public void An_alert_reads_metrics_and_labels_that_are_exported(string alert) => AssertExported(Rule(alert).Expr);

    [Theory]
    [MemberData(nameof(Panels))]
    public void A_panel_reads_metrics_and_labels_that_are_exported(string dashboard, string query)
    {
        Assert.EndsWith(".json", dashboard, StringComparison.Ordinal);
        AssertExported(query);
    }

    [Theory]
    [InlineData("""gateway_refusal_total{reason="no_token"}""", "gateway_refusal_total")]
    [InlineData("""sum by (rout) (rate(gateway_refusals_total[5m]))""", "rout")]
    [InlineData("""rate(gateway_refusals_total{reson="no_token"}[5m])""", "reson")]
    [InlineData("""rate(iotcredentials_vends_total{outcome="throtled"}[5m])""", "throtled")]
    [InlineData("""rate(gateway_refusals_total{reason="no_tokn"}[5m])""", "no_tokn")]
    [InlineData("""label_values(gateway_refusals_total, rout)""", "rout")]
    public void A_misspelt_name_is_found(string query, string misspelt) =>
        Assert.Contains(misspelt, Assert.ThrowsAny<Exception>(() => AssertExported(query)).Message, StringComparison.Ordinal);

    [Theory]
    [MemberData(nameof(Alerts))]
    public void An_alert_has_a_severity_a_summary_and_a_section_of_the_runbook(string alert)
    {
        var rule = Rule(alert);

        Assert.Matches("^[0-9]+[mh]$", rule.For);
        Assert.True(rule.Labels["severity"] is "critical" or "warning");
        Assert.NotEmpty(rule.Annotations["summary"]);
        var (page, anchor) = rule.Annotations["runbook_url"].Split('#') is [var before, var after] ? (before, after) : default;
        Assert.EndsWith("/docs/runbook.md", page, StringComparison.Ordinal);
        Assert.Contains(anchor, Heading().Matches(s_runbook).Select(static heading => AnchorOf(heading.Groups["text"].Value)));
        Assert.Contains($"`{alert}`", s_runbook, StringComparison.Ordinal);
    }

    [Fact]
    public void The_runbook_names_metrics_that_are_exported_and_alerts_that_exist()
    {
        var metrics = Metric().Matches(s_runbook).Select(static metric => metric.Value).Distinct();
        var alerts = Alert().Matches(s_runbook).Select(static alert => alert.Groups["name"].Value).Distinct();

        Assert.All(metrics, metric => Assert.Contains(measured.Scrape.Lines, line => line.Name == metric));
        Assert.All(alerts, alert => Assert.Contains(Rules(), rule => rule.Alert == alert));
    }

    [Fact]
    public void The_runbook_searches_the_log_for_words_that_other_documents_say_are_in_it()
    {
        var pages = Directory.GetFiles(Path.Combine(Repository.Root, "docs"), "*.md").Where(static page => Path.GetFileName(page) != "runbook.md");
        var documented = string.Concat(pages.Select(File.ReadAllText));
        var words = LogSearch().Matches(s_runbook).SelectMany(static search => search.Groups["words"].Value.Split('|')).Distinct().ToList();

        Assert.True(words.Count > 10);
        Assert.All(words, each => Assert.Matches(each, documented));
    }

    private void AssertExported(string text)
    {
        var query = new PromQuery(text);
        Assert.NotEmpty(query.Selectors);
        var labels = new HashSet<string>(s_targetLabels);
        foreach (var (name, matchers) in query.Selectors)
        {
            if (s_targetMetrics.Contains(name)) continue;
            var lines = measured.Scrape.Lines.Where(line => name is "" || line.Name == name).ToList();
            Assert.True(lines.Count > 0, $"{name} is in no scrape");
            foreach (var (label, value) in matchers)
            {
                Assert.True(s_targetLabels.Contains(label) || lines.Exists(line => line.Labels.ContainsKey(label)), $"{name} has no label {label}");
                AssertDocumented(name, label, value);
            }

            labels.UnionWith(lines.SelectMany(static line => line.Labels.Keys));
        }

        Assert.All(query.Labels, label => Assert.True(labels.Contains(label), $"no metric of the query has the label {label}"));
    }

    // A misspelt value selects nothing, as a misspelt label does.
    private static void AssertDocumented(string name, string label, string value)
    {
        if (s_targetLabels.Contains(label) || value is "" || value.Contains('$') || label.StartsWith("http_", StringComparison.Ordinal)) return;
        var row = Assert.Single(s_documented, row => name.StartsWith(row.Split('|')[4].Trim(' ', '`'), StringComparison.Ordinal));
        if (row.Contains("access-log.md#reasons", StringComparison.Ordinal)) row += Read("docs", "access-log.md");
        Assert.All(value.Split('|'), each => Assert.True(row.Contains($"`{each}`", StringComparison.Ordinal), $"{name} has no {label} {each}"));
    }

    private static AlertRule Rule(string alert) => Assert.Single(Rules(), rule => rule.Alert == alert);

    private static IReadOnlyList<AlertRule> Rules() =>
        [.. new DeserializerBuilder().Build().Deserialize<RuleFile>(Read("deploy", "prometheus", "rules.yaml")).Groups.SelectMany(static group => group.Rules)];

    private static string[] Dashboards() => Directory.GetFiles(Path.Combine(Repository.Root, "deploy", "grafana", "dashboards"), "*.json");

    private static IEnumerable<string> Queries(string file)
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
        return [.. Strings(dashboard.RootElement, "expr", "query").Where(static query => query is not "prometheus")];
    }

    private static IEnumerable<string> Strings(JsonElement element, params string[] names) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray().SelectMany(item => Strings(item, names)),
        JsonValueKind.Object => element.EnumerateObject().SelectMany(member => member.Value.ValueKind == JsonValueKind.String
            ? names.Contains(member.Name) ? [member.Value.GetString()!] : []
            : Strings(member.Value, names)),
        _ => [],
    };

    // As GitHub and GitLab make anchors of headings.
    private static string AnchorOf(string heading) => NotInAnchors().Replace(heading.ToLowerInvariant(), "").Replace(' ', '-');

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([Repository.Root, .. path]));

    [GeneratedRegex("^##+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex NotInAnchors();

    [GeneratedRegex(@"\b(gateway|iotcredentials|http_server|http_client)_[a-z_]+\b")]
    private static partial Regex Metric();

    [GeneratedRegex("log \\| grep (-[A-Z0-9]+ )?'(?<words>[^'^]+)'")]
    private static partial Regex LogSearch();

    [GeneratedRegex("`(?<name>IotGateway[A-Z][A-Za-z]+)`")]
    private static partial Regex Alert();

    private sealed class RuleFile
    {
        [YamlMember(Alias = "groups")]
        public List<RuleGroup> Groups { get; set; } = [];
    }

    private sealed class RuleGroup
    {
        [YamlMember(Alias = "name")]
        public string Name { get; set; } = "";

        [YamlMember(Alias = "rules")]
        public List<AlertRule> Rules { get; set; } = [];
    }

    private sealed class AlertRule
    {
        [YamlMember(Alias = "alert")]
        public string Alert { get; set; } = "";

        [YamlMember(Alias = "expr")]
        public string Expr { get; set; } = "";

        [YamlMember(Alias = "for")]
        public string For { get; set; } = "";

        [YamlMember(Alias = "labels")]
        public Dictionary<string, string> Labels { get; set; } = [];

        [YamlMember(Alias = "annotations")]
        public Dictionary<string, string> Annotations { get; set; } = [];
    }
}
