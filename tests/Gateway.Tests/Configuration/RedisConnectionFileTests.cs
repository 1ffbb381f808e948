using Gateway.Reloading;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The Redis connection string comes from a file, as platforms mount secrets. No finding shows any part of it.</summary>
public sealed class RedisConnectionFileTests : IDisposable
{
    private const string Key = "ConnectionStrings:RedisPath";
    private const string Text = "redis.internal:6379,user=gateway,password=hunter2";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData(Text)]
    [InlineData(Text + "\n")]
    [InlineData("\uFEFF" + Text + "\r\n")]
    public void The_text_of_the_file_is_the_connection_string(string content)
    {
        _configuration.Write("secrets/redis", content);
        _configuration.Set("ConnectionStrings", """{ "RedisPath": "secrets/redis" }""");

        Assert.Equal(Text, _configuration.LoadGood().Options.ConnectionStrings.Redis);
    }

    [Fact]
    public void The_path_may_be_absolute_and_a_variable()
    {
        _configuration.Write("secrets/redis", Text);
        _configuration.Set("ConnectionStrings", null);
        _configuration.Variables["ConnectionStrings__RedisPath"] = Path.Combine(_configuration.Folder, "secrets", "redis");

        Assert.Equal(Text, _configuration.LoadGood().Options.ConnectionStrings.Redis);
    }

    [Theory]
    [InlineData("""{ "RedisPath": "secrets/redis" }""", """{ "RedisPath": "secrets/redis" }""", Key)]
    [InlineData("""{ "RedisPath": "secrets/redis" }""", """{ "RedisPath": "secrets/other" }""", Key)]
    [InlineData("""{ "Redis": "localhost:6379" }""", """{ "RedisPath": "secrets/redis" }""", Key)]
    [InlineData("""{ "Redis": "localhost:6379" }""", """{ "Redis": "localhost:6380" }""", "ConnectionStrings:Redis")]
    public void A_change_that_needs_a_restart_is_told_at_the_key_that_is_written(string before, string after, string key)
    {
        _configuration.Write("secrets/redis", Text);
        _configuration.Set("ConnectionStrings", before);
        var inEffect = _configuration.LoadGood();
        _configuration.Write("secrets/redis", Text + "2");
        _configuration.Write("secrets/other", Text + "3");
        _configuration.Set("ConnectionStrings", after);

        var finding = Assert.Single(RestartOnly.Changes(inEffect, _configuration.LoadGood()));

        Assert.Equal(key, finding.Key);
        Assert.Contains($"needs a restart: {key}.", finding.Message, StringComparison.Ordinal);
        Assert.Contains("appsettings.json", finding.Source, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "names no file")]
    [InlineData("secrets/none", "is not there")]
    [InlineData("secrets", "is a folder")]
    [InlineData("secrets/empty", "does not hold one line")]
    [InlineData("secrets/two", "does not hold one line")]
    [InlineData(Text, "is a connection string itself")]
    [InlineData("redis://gateway:hunter2@redis.internal", "is a connection string itself")]
    public void A_file_that_gives_none_is_an_error_at_its_key(string path, string expected)
    {
        _configuration.Write("secrets/empty", " \n");
        _configuration.Write("secrets/two", Text + "\n" + Text + "\n");
        _configuration.Set("ConnectionStrings", $$"""{ "RedisPath": "{{path}}" }""");

        var finding = _configuration.LoadBad();

        Assert.Equal(Key, finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_connection_string_in_the_file_is_an_error_as_it_is_in_the_configuration()
    {
        _configuration.Write("secrets/redis", "redis://gateway:hunter2@redis.internal:6379");
        _configuration.Set("ConnectionStrings", """{ "RedisPath": "secrets/redis" }""");

        var finding = _configuration.LoadBad();

        Assert.Equal("ConnectionStrings:Redis", finding.Key);
        Assert.DoesNotContain("hunter2", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_file_and_the_string_together_are_an_error_unless_a_later_layer_removes_the_string()
    {
        _configuration.Write("secrets/redis", Text);
        _configuration.Set("ConnectionStrings", $$"""{ "Redis": "localhost:6379", "RedisPath": "secrets/redis" }""");
        Assert.Equal(Key, _configuration.LoadBad().Key);

        _configuration.Write("appsettings.Production.json", """{ "ConnectionStrings": { "Redis": null } }""");
        Assert.Equal(Text, _configuration.LoadGood().Options.ConnectionStrings.Redis);
    }
}
