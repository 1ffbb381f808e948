using System.Text.Json;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Explain;

/// <summary>A request and a token reach <c>explain</c> with no more than is needed, and the token by ways that keep it from other users.</summary>
[Collection(nameof(ExplainInputTests))]
public sealed class ExplainInputTests(ExplainTests.Shared shared) : IClassFixture<ExplainTests.Shared>, IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly TextReader _in = Console.In;

    private World World => shared.World;

    [Theory]
    [InlineData("F17 a path without an organization", "/reports/7", 0, "reports", null)]
    [InlineData("F17 a path with one", "/organizations/o-acme/iot-endpoint-and-credentials", 0, "iot-endpoint-and-credentials", "o-acme")]
    [InlineData(
        "F17 another one, and a query", "/organizations/o-other/iot-endpoint-and-credentials?minimumLifetime=60", 0, "iot-endpoint-and-credentials", "o-other")]
    [InlineData("F17 a malformed one", "/organizations/acme/devices", 1, "organizations", null)]
    [InlineData("F17 a path that no route takes", "/nowhere", 1, null, null)]
    public async Task Method_and_path_are_enough(string name, string path, int exitCode, string? route, string? sessionName)
    {
        var explained = await ExplainAsync("--path", path);

        Assert.True(explained.ExitCode == exitCode, $"{name}: {explained.Output}{explained.Error}");
        Assert.Equal(route, explained.Json.TryGetProperty("route", out var taken) ? taken.GetProperty("route").GetString() : null);
        Assert.Equal(sessionName, explained.Json.TryGetProperty("assumeRole", out var assumed) ? assumed.GetProperty("sessionName").GetString() : null);
        Assert.DoesNotContain(
            explained.Json.GetProperty("notes").EnumerateArray(),
            note => note.GetString()!.StartsWith("the path names the organization", StringComparison.Ordinal));
    }

    [Fact]
    public async Task F17_neither_path_nor_organization_is_an_error_that_names_both()
    {
        var explained = await ExplainAsync();

        Assert.Equal((1, ""), (explained.ExitCode, explained.Output));
        Assert.Contains("--path", explained.Error, StringComparison.Ordinal);
        Assert.Contains("--organization", explained.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S24 a file", "", "")]
    [InlineData("S24 a file that ends with a line feed", "", "\r\n")]
    [InlineData("S24 a file with a blank before it", " \n", "\n")]
    [InlineData("a header's value", "Bearer ", "\n")]
    [InlineData("a header's value in small letters and with blanks", " bearer  ", " ")]
    [InlineData("a header", "Authorization: Bearer ", "\r\n")]
    [InlineData("a header of HTTP/2", "authorization:bearer ", "")]
    public async Task A_token_is_read_from_a_file(string name, string before, string after)
    {
        File.WriteAllText(_file, before + World.Token("o-acme") + after);

        AssertGood(name, await ExplainAsync("--organization", "o-acme", "--token-file", _file));
    }

    [Fact]
    public async Task S24_a_token_is_read_from_standard_input()
    {
        Console.SetIn(new StringReader(World.Token("o-acme") + "\n"));

        AssertGood("", await ExplainAsync("--organization", "o-acme", "--token", "-"));
        AssertGood("a header's value", await ExplainAsync("--organization", "o-acme", "--token", $"Bearer {World.Token("o-acme")}"));
    }

    [Fact]
    public async Task Standard_input_for_both_a_token_and_a_key_is_an_error()
    {
        Console.SetIn(new StringReader(World.Token("o-acme")));

        var explained = await ExplainAsync("--organization", "o-acme", "--token", "-", "--api-key", "-");

        Assert.Equal(1, explained.ExitCode);
        Assert.Contains("standard input holds no key", explained.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S24 no such file", "--token-file /nowhere/token", "--token-file /nowhere/token cannot be read")]
    [InlineData("S24 a folder", "--token-file /tmp", "--token-file /tmp cannot be read")]
    [InlineData("S24 nothing on standard input", "--token -", "standard input holds no token")]
    [InlineData("S24 two ways at once", "--token - --token-file /nowhere/token", "write one of them")]
    [InlineData("S24 endless input", "--token-file /dev/zero", "holds more than a token")]
    public async Task A_token_that_cannot_be_read_is_an_error(string name, string arguments, string error)
    {
        Console.SetIn(new StringReader(""));

        var explained = await ExplainAsync(["--organization", "o-acme", .. arguments.Split(' ')]);

        Assert.True((explained.ExitCode, explained.Output) == (1, ""), $"{name}: {explained.Output}");
        Assert.Contains(error, explained.Error, StringComparison.Ordinal);
    }

    private static void AssertGood(string name, CommandResult explained)
    {
        Assert.True(explained.ExitCode == 0, $"{name}: {explained.Output}{explained.Error}");
        Assert.Equal(JsonValueKind.Array, explained.Json.GetProperty("token").GetProperty("failures").ValueKind);
        Assert.Empty(explained.Json.GetProperty("token").GetProperty("failures").EnumerateArray());
    }

    private async Task<CommandResult> ExplainAsync(params string[] arguments)
    {
        using var folder = World.Folder(settings => settings.Route("reports", "/reports/{id}"));
        return await CommandResult.RunAsync(["explain", "--config", folder.Path, "--format", "json", .. arguments]);
    }

    public void Dispose()
    {
        Console.SetIn(_in);
        File.Delete(_file);
    }
}
