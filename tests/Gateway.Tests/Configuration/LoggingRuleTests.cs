using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The settings of the console log are tried before they are used: with a bad one no line could be written.</summary>
public sealed class LoggingRuleTests : IDisposable
{
    private const string Console = "Logging:Console";
    private const string Options = Console + ":FormatterOptions";
    private const string Time = Options + ":TimestampFormat";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("simple", Time, "\"yyyy-MM-dd'T HH:mm:ss \"", Time)]
    [InlineData("simple", Time, "\"HH:mm:ss.fffffffff \"", Time)]
    [InlineData("simple", Time, "\"H\"", Time)]
    [InlineData("json", Time, "\"H\"", Time)]
    [InlineData("systemd", Time, "\"HH:mm:ss\\\\\"", Time)]
    [InlineData("json", Options + ":JsonWriterOptions:MaxDepth", "1", Options)]
    [InlineData("json", Options + ":JsonWriterOptions:MaxDepth", "-1", Options)]
    [InlineData("json", Options + ":JsonWriterOptions:IndentSize", "1000", Options)]
    public void Settings_that_no_line_can_be_written_with_are_an_error(string formatter, string key, string json, string expected)
    {
        _configuration.Set(Console + ":FormatterName", $"\"{formatter}\"").Set(key, json);

        Assert.Equal(expected, _configuration.LoadBad().Key);
    }

    [Fact]
    public void A_depth_that_a_line_with_scopes_exceeds_is_an_error()
    {
        _configuration.Set(Console + ":FormatterName", "\"json\"").Set(Options + ":JsonWriterOptions:MaxDepth", "2");
        _configuration.LoadGood();

        _configuration.Set(Options + ":IncludeScopes", "true");
        Assert.Equal(Options, _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("simple", Time, "\"HH:mm:ss.fff \"")]
    [InlineData("simple", Time, "\"'at' o \"")]
    [InlineData("simple", Time, "\"\"")]
    [InlineData("JSON", Time, "\"O\"")]
    [InlineData("json", Options + ":JsonWriterOptions:Indented", "true")]
    [InlineData("systemd", Options + ":IncludeScopes", "true")]
    public void Settings_that_work_are_accepted(string formatter, string key, string json)
    {
        _configuration.Set(Console + ":FormatterName", $"\"{formatter}\"").Set(key, json);

        _configuration.LoadGood();
    }
}
