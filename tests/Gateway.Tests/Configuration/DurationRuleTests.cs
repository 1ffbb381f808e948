using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class DurationRuleTests : IDisposable
{
    private const string Route = "ReverseProxy:Routes:organizations";
    private const string Module = "ReverseProxy:Routes:iot-endpoint-and-credentials";
    private const string Cluster = "ReverseProxy:Clusters:organizations";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData(Route + ":Timeout", "00:00:00")]
    [InlineData(Route + ":Timeout", "-00:00:01")]
    [InlineData(Cluster + ":HttpRequest:ActivityTimeout", "00:00:00")]
    public void A_time_that_is_none_is_an_error(string key, string time)
    {
        var finding = _configuration.Set(key, $"\"{time}\"").LoadBad();

        Assert.Equal(key, finding.Key);
        Assert.Contains("not a length of time", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Module + ":Timeout", "\"00:00:04\"", Module + ":Timeout", "IotCredentials:Timeout")]
    [InlineData(Route + ":Timeout", "\"00:01:00\"", "Shutdown:Timeout", "\"organizations\" may take 00:01:00")]
    [InlineData("Shutdown:Timeout", "\"00:00:04\"", "Shutdown:Timeout", "IotCredentials:Timeout is 00:00:05")]
    [InlineData(
        Cluster + ":HealthCheck", """{ "Active": { "Enabled": true, "Timeout": "00:00:20" } }""", Cluster + ":HealthCheck:Active:Timeout", "every 00:00:15")]
    [InlineData(
        Cluster + ":HealthCheck", """{ "Active": { "Enabled": true, "Interval": "00:00:05" } }""", Cluster + ":HealthCheck:Active:Interval", "take 00:00:10")]
    [InlineData("IotCredentials:Profiles:default:SessionDuration", "\"02:00:00\"", "IotCredentials:Profiles:default:SessionDuration", "over an hour")]
    public void Times_that_contradict_each_other_are_a_warning(string key, string json, string warned, string expected)
    {
        var read = _configuration.Set("IotCredentials:Organizations", null).Set(key, json).Load();

        Assert.NotNull(read.Snapshot);
        var finding = Assert.Single(read.Findings);
        Assert.Equal((Severity.Warning, warned), (finding.Severity, finding.Key));
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Module + ":Timeout", "\"00:00:05\"")]
    [InlineData(Route + ":Timeout", "\"00:00:30\"")]
    [InlineData(Cluster + ":HealthCheck", """{ "Active": { "Timeout": "00:00:20" } }""")]
    [InlineData(Cluster + ":HealthCheck", """{ "Active": { "Enabled": true, "Interval": "00:00:05", "Timeout": "00:00:05" } }""")]
    public void Times_that_agree_are_not_spoken_of(string key, string json) => _configuration.Set(key, json).LoadGood();
}
