using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A connection string that is none is an error which shows the right form, and no part of the string.</summary>
public sealed class RedisConnectionStringTests : IDisposable
{
    private const string Key = "ConnectionStrings:Redis";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "D2 a URL", "redis://gateway:hunter2@redis.internal:6379", "host:port,user=…,password=…" },
        { "D2 a URL with TLS", "rediss://gateway:hunter2@redis.internal:6380/0", "host:port,ssl=true,user=…,password=…" },
        { "D2 a URL in capitals", "REDISS://:hunter2@redis.internal:6380", "host:port,ssl=true" },
        { "D2 a URL whose password is in its query", "redis://redis.internal:6379?password=hunter2", "host:port" },
        { "D2 a URL whose password has signs", "redis://gateway:hunter2@x/y=z@redis.internal:6379", "host:port" },
        { "D2 a URL whose password is a number", "redis://gateway:4242/1@redis.internal", "host:port" },
        { "D2 a URL of two servers", "redis://gateway:hunter2@a:6379,b:6379", "host:port" },
        { "D2 a URL behind an option", "ssl=true,redis://gateway:hunter2@redis.internal:6379", "host:port" },
        { "D2 another scheme", "redis+sentinel://gateway:hunter2@redis.internal:26379/mymaster", "host:port" },
        { "D2 a URL in quotes", "\"redis://gateway:hunter2@redis.internal:6379\"", "host:port" },
        { "D2 a URL in brackets", "<redis://gateway:hunter2@redis.internal:6379>", "host:port" },
        { "S7 semicolons", "redis.internal:6379;password=hunter2;ssl=true", "after commas" },
        { "S7 semicolons and commas", "redis.internal:6379,user=gateway;password=hunter2", "after commas" },
        { "S7 a space before the password", "redis.internal:6379,user=gateway password=hunter2", "after commas" },
        { "S7 semicolons and spaces", "redis.internal:6379 ; password = hunter2", "after commas" },
        { "S7 user info without a scheme", "gateway:hunter2@redis.internal:6379", "after commas" },
        { "S7 a password alone before the host", "hunter2@redis.internal:6379", "after commas" },
        { "S7 a password with an at", "gateway:hunter2@b@redis.internal:6379", "after commas" },
        { "S7 spaces for separators", "redis.internal:6379 password=hunter2", "after commas" },
        { "S7 a colon for the equals sign", "redis.internal:6379,password:hunter2", "after commas" },
        { "S7 a colon and a number", "redis.internal:6379,password:4242", "after commas" },
        { "S7 in quotes", "\"redis.internal:6379,password=hunter2\"", "nothing around" },
        { "S7 a value in quotes", "redis.internal:6379,password=\"hunter2\"", "nothing around" },
        { "S7 a value in single quotes", "redis.internal:6379,password='hunter2'", "nothing around" },
        { "S7 a line break at the end", "redis.internal:6379,password=hunter2\n", "nothing around" },
        { "S7 another library's words", "Server=redis.internal;Pwd=hunter2", "after commas" },
        { "S7 an option that does not exist", "redis.internal:6379,pwd=hunter2", "after commas" },
        { "S7 a password with a comma", "redis.internal:6379,password=hunter2,4242", "after commas" },
        { "S7 a password alone", "password=hunter2", "after commas" },
        { "S7 JSON", "{ \"host\": \"redis.internal\", \"password\": \"hunter2\" }", "after commas" },
        { "a proxy", "redis.internal:6379,proxy=Twemproxy,password=hunter2", "take proxy=… out" },
        { "a proxy of another kind", "redis.internal:6379,Proxy=envoyproxy,password=hunter2", "take proxy=… out" },
        { "S7 a command line", "-h redis.internal -a hunter2", "after commas" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void D2_what_is_no_connection_string_is_an_error_that_shows_the_right_form_alone(string name, string written, string form)
    {
        _configuration.Set(Key, System.Text.Json.JsonSerializer.Serialize(written));

        var finding = _configuration.LoadBad();

        Assert.Equal((name, Severity.Error, Key), (name, finding.Severity, finding.Key));
        Assert.Contains(form, finding.Message, StringComparison.Ordinal);
        foreach (var part in (string[])["hunter2", "4242", "gateway:"]) Assert.DoesNotContain(part, finding.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("redis.internal")]
    [InlineData("redis.internal:6379")]
    [InlineData("a:6379,b:6379, c:6380")]
    [InlineData("redis.internal:6380,ssl=true,user=gateway,password=hunter2@;x:/?#%\"y")]
    [InlineData("redis.internal:6380, ssl = true, password = hunter2=")]
    [InlineData("[2001:db8::1]:6379,password=hunter2")]
    [InlineData("10.0.0.1:6379,serviceName=mymaster,password=hunter2;")]
    [InlineData("redis.internal:6379,password=a://b'")]
    [InlineData("password.internal:6379")]
    public void D2_what_the_client_understands_is_taken(string written)
    {
        _configuration.Set(Key, System.Text.Json.JsonSerializer.Serialize(written));

        Assert.DoesNotContain(_configuration.Load().Findings, finding => finding.Severity == Severity.Error);
    }

    [Theory]
    [InlineData("a variable")]
    [InlineData("the command line")]
    public void S7_wherever_it_is_written(string place)
    {
        const string Url = "redis://gateway:hunter2@redis.internal:6379";
        _configuration.Set(Key, null);
        if (place == "a variable") _configuration.Variables["ConnectionStrings__Redis"] = Url;
        else _configuration.Arguments.Add($"--ConnectionStrings:Redis={Url}");

        Assert.DoesNotContain("hunter2", _configuration.LoadBad().ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task D2_a_start_and_a_reload_say_the_same()
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder(settings => settings.Set(Key, "\"rediss://gateway:hunter2@redis.internal:6380\""));

        var (exitCode, output) = await GatewayProcess.RunAsync(["--config", folder.Path]);
        Assert.Equal(1, exitCode);
        Assert.Contains("it is a URL: write \"host:port,ssl=true,user=…,password=…\"", output, StringComparison.Ordinal);

        var gateway = await world.StartGatewayAsync();
        await gateway.ChangeAsync(settings => settings.Set(Key, "\"rediss://gateway:hunter2@redis.internal:6380\""));
        Assert.True(gateway.IsConfigurationRefused);
        Assert.Contains("it is a URL", gateway.Log.Text, StringComparison.Ordinal);
        foreach (var text in (string[])[output, gateway.Log.Text]) Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
    }
}
