using System.Text.RegularExpressions;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>The values that a scrape has after <see cref="MeasuredGateway"/>'s hour.</summary>
[Trait("Category", "Redis")]
public sealed partial class MetricValueTests(MeasuredGateway measured) : IClassFixture<MeasuredGateway>
{
    // The document names them for all metrics. Tests of the same process can make more series of HTTP clients than a test's gateway has room for.
    private static readonly string[] s_ofEveryMetric = ["le", "otel_scope_name", "otel_metric_overflow"];

    [Theory]
    [InlineData(1, "iotcredentials_vends_total", "profile=\"default\"", "outcome=\"sts\"")]
    [InlineData(2, "iotcredentials_vends_total", "profile=\"default\"", "outcome=\"l1\"")]
    [InlineData(1, "iotcredentials_vends_total", "profile=\"default\"", "outcome=\"throttled\"")]
    [InlineData(1, "iotcredentials_remaining_lifetime_seconds_bucket", "profile=\"default\"", "le=\"1800\"")]
    [InlineData(3, "iotcredentials_remaining_lifetime_seconds_bucket", "profile=\"default\"", "le=\"3600\"")]
    [InlineData(3, "iotcredentials_remaining_lifetime_seconds_count", "profile=\"default\"")]
    [InlineData(1, "iotcredentials_refreshes_total", "kind=\"credentials\"", "outcome=\"success\"")]
    [InlineData(2, "iotcredentials_aws_call_duration_seconds_count", "operation=\"AssumeRole\"", "outcome=\"success\"")]
    [InlineData(1, "iotcredentials_aws_call_duration_seconds_count", "operation=\"AssumeRole\"", "outcome=\"failure\"", "error_type=\"throttled\"")]
    [InlineData(100, "iotcredentials_sts_limit")]
    [InlineData(0, "iotcredentials_sts_waiting")]
    [InlineData(1, "iotcredentials_directory_usable")]
    [InlineData(0, "iotcredentials_redis_usable")]
    [InlineData(1, "gateway_introspection_calls_total", "outcome=\"accepted\"")]
    [InlineData(1, "gateway_introspection_calls_total", "outcome=\"refused\"")]
    [InlineData(1, "gateway_authentications_total", "scheme=\"Introspection\"", "outcome=\"accepted\"")]
    [InlineData(1, "gateway_authentications_total", "scheme=\"Platform\"", "outcome=\"refused\"")]
    [InlineData(1, "gateway_refusals_total", "route=\"plain\"", "reason=\"no_token\"")]
    [InlineData(1, "gateway_refusals_total", "route=\"plain\"", "reason=\"audience\"")]
    [InlineData(1, "gateway_refusals_total", "route=\"limited\"", "reason=\"limit:Once\"")]
    [InlineData(1, "gateway_requests_total", "route=\"down\"", "status=\"5xx\"")]
    [InlineData(0, "gateway_requests_total", "route=\"down\"", "status=\"other\"")]
    [InlineData(1, "gateway_requests_total", "route=\"throws\"", "status=\"5xx\"")]
    [InlineData(1, "gateway_requests_total", "route=\"none\"", "status=\"other\"")]
    [InlineData(1, "gateway_destination_duration_seconds_count", "cluster=\"weighted\"", "destination=\"stable\"", "status=\"2xx\"")]
    [InlineData(
        1, "aspnetcore_rate_limiting_requests_total", "aspnetcore_rate_limiting_policy=\"Once\"", "aspnetcore_rate_limiting_result=\"endpoint_limiter\"")]
    [InlineData(1, "gateway_rate_limit_fallbacks_total", "policy=\"Once\"")]
    [InlineData(1, "gateway_configuration_refused")]
    [InlineData(1, "gateway_configuration_reloads_total", "outcome=\"refused\"")]
    public void Each_counts_what_happened(double expected, string name, params string[] labels) => Assert.Equal(expected, measured.Scrape.Sum(name, labels));

    [Fact]
    public void Each_has_the_tags_that_the_documentation_lists()
    {
        var documented = DocumentedTags();

        var lines = documented.Select(metric => $"{metric.Name}: {string.Join(' ', metric.Tags.Select(static tag => tag.Name).Order(StringComparer.Ordinal))}");
        var scraped = documented.Select(metric => $"{metric.Name}: {string.Join(' ', LabelsOf(metric.Name).Select(static label => label.Key)
            .Distinct().Order(StringComparer.Ordinal))}");
        Assert.Equal(string.Join('\n', lines), string.Join('\n', scraped));
    }

    [Fact]
    public void Each_tag_has_values_that_the_documentation_lists_where_it_lists_them_all()
    {
        foreach (var (metric, tags) in DocumentedTags())
        {
            foreach (var (tag, values) in tags.Where(static tag => tag.Values.Count > 0))
                Assert.All(LabelsOf(metric).Where(label => label.Key == tag), label => Assert.Contains(label.Value, values));
        }
    }

    [Fact]
    public void A_refused_change_leaves_the_configuration_as_old_as_it_was() =>
        Assert.Equal(61 * 60, measured.Scrape.Sum("gateway_configuration_age_seconds")!.Value, tolerance: 0.001);

    [Fact]
    public void The_keys_of_an_issuer_are_as_old_as_their_last_fetch()
    {
        Assert.InRange(measured.Scrape.Sum("gateway_issuer_keys_age_seconds", "scheme=\"Platform\"")!.Value, 0, 285);
        Assert.InRange(measured.Scrape.Sum("gateway_issuer_fetches_total", "scheme=\"Platform\"", "outcome=\"success\"")!.Value, 2, 100);
    }

    [Fact]
    public void The_remaining_lifetime_of_a_certificate_names_its_file()
    {
        var remaining = measured.Scrape.Sum("gateway_certificate_remaining_lifetime_seconds", $"file_path=\"{measured.CertificateFile}\"");

        // It was issued for 90 days, yesterday.
        Assert.InRange(TimeSpan.FromSeconds(remaining!.Value).TotalDays, 88.9, 89);
    }

    /// <summary>The metrics with their tags by their names in a scrape, and the tags' values. A tag with other values than words has none here.</summary>
    private static List<(string Name, List<(string Name, List<string> Values)> Tags)> DocumentedTags() =>
    [
        .. DocumentTable.Rows("metrics.md", "# Metrics")
            .Select(static row => (DocumentTable.Code(row[3]).Single(), row[4].Split(';').SelectMany(TagsOf).ToList())),
    ];

    // Such as "`cluster`, `destination`: their names" or "`log`: `audit`, `other`".
    private static IEnumerable<(string Name, List<string> Values)> TagsOf(string tags)
    {
        var (names, values) = tags.Split(": ", 2) is [var before, var after] ? (before, after) : (tags, "");
        List<string> words = WordsOnly().IsMatch(values) ? [.. DocumentTable.Code(values)] : [];
        return DocumentTable.Code(names).Select(name => (name.Replace('.', '_'), words));
    }

    private IEnumerable<KeyValuePair<string, string>> LabelsOf(string metric) => measured.Scrape.Lines
        .Where(line => line.Name == metric || line.Name == $"{metric}_bucket" || line.Name == $"{metric}_sum" || line.Name == $"{metric}_count")
        .SelectMany(static line => line.Labels)
        .Where(static label => !s_ofEveryMetric.Contains(label.Key));

    [GeneratedRegex("^(`[^`]+`(, )?)+$")]
    private static partial Regex WordsOnly();
}
