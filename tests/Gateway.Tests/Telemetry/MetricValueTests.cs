using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>The values that a scrape has after <see cref="MeasuredGateway"/>'s hour.</summary>
[Trait("Category", "Redis")]
public sealed class MetricValueTests(MeasuredGateway measured) : IClassFixture<MeasuredGateway>
{
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
    [InlineData(1, "gateway_destination_duration_seconds_count", "cluster=\"weighted\"", "destination=\"stable\"", "status=\"2xx\"")]
    [InlineData(
        1, "aspnetcore_rate_limiting_requests_total", "aspnetcore_rate_limiting_policy=\"Once\"", "aspnetcore_rate_limiting_result=\"endpoint_limiter\"")]
    [InlineData(1, "gateway_rate_limit_fallbacks_total", "policy=\"Once\"")]
    [InlineData(1, "gateway_configuration_refused")]
    [InlineData(1, "gateway_configuration_reloads_total", "outcome=\"refused\"")]
    public void Each_counts_what_happened(double expected, string name, params string[] labels) => Assert.Equal(expected, measured.Scrape.Sum(name, labels));

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
}
