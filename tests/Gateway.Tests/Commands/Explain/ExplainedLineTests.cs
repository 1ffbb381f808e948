using System.Text.Json.Nodes;
using Xunit;

namespace Gateway.Tests.Commands.Explain;

/// <summary><c>explain --log-line</c>: why a request of the access log got its response.</summary>
[Collection(nameof(ExplainInputTests))]
public sealed class ExplainedLineTests(ExplainTests.Shared shared) : IClassFixture<ExplainTests.Shared>, IDisposable
{
    private const string Line = """
        {"time":"2026-03-01T09:30:00.123Z","method":"GET","path":"/organizations/o-other/devices","route":"organizations","status":403,
        "reason":"organization","duration":0.018342,"bytes":92,"scheme":"ApiKeys","issuer":"urn:gateway:api-keys","subject":"ci-robot",
        "organization":"o-other","upstream":null,"client":"203.0.113.7","requestId":"5b1c1c4e0f6a4a3f9a3d1e2b7c8d9e0f","traceId":null}
        """;

    private readonly string _file = Path.GetTempFileName();
    private readonly TextReader _in = Console.In;

    [Fact]
    public async Task A_line_is_explained_by_the_configuration_from_a_file_or_standard_input()
    {
        File.WriteAllText(_file, Line.ReplaceLineEndings(""));
        Console.SetIn(new StringReader(Line.ReplaceLineEndings("") + "\n"));

        foreach (var from in (string[])[_file, "-"])
        {
            var explained = await ExplainAsync("--log-line", from);

            Assert.True(explained.ExitCode == 1, explained.Error);
            Assert.Contains(
                "refused with 403 (organization): the organization of the path is none of the caller's\n", explained.Output, StringComparison.Ordinal);
            Assert.Contains("caller      ci-robot of urn:gateway:api-keys, by the scheme ApiKeys\n", explained.Output, StringComparison.Ordinal);
            Assert.Contains("taken by organizations", explained.Output, StringComparison.Ordinal);
            Assert.Contains("the key has the organizations o-acme; roles none; scopes iot.connect; only clients of 10.0.0.0/8 may use it\n",
                explained.Output, StringComparison.Ordinal);
            Assert.Contains("the client's address 203.0.113.7 is not in the route's IpAllow\n", explained.Output, StringComparison.Ordinal);
            Assert.Contains("not known from this: the token", explained.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_request_that_was_served_is_no_failure()
    {
        File.WriteAllText(_file, """{ "method": "GET", "path": "/organizations/o-acme/devices", "status": 200, "reason": null }""");

        var explained = await ExplainAsync("--log-line", _file, "--format", "json");

        Assert.Equal(0, explained.ExitCode);
        Assert.Equal("200 from the gateway", explained.Json.GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData("api.example.com")]
    [InlineData("*.example.com")]
    public async Task The_host_is_one_that_the_logged_route_accepts(string host)
    {
        File.WriteAllText(_file, """{ "method": "GET", "path": "/hosted/1", "route": "hosted", "status": 401, "reason": "no_token" }""");

        var explained = await ExplainAsync(settings => settings.Route("hosted", "/hosted/{**rest}", $$"""{ "Match": { "Hosts": ["{{host}}"] } }"""),
            "--log-line", _file);

        Assert.Contains("taken by hosted", explained.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "holds no line")]
    [InlineData("GET / 403", "no JSON object")]
    [InlineData("{}\n{}", "more than one line")]
    [InlineData("""{ "method": "GET", "path": "/", "status": 403, "cookie": "a" }""", "none of the access log's")]
    public async Task Any_other_text_is_an_error(string text, string problem)
    {
        File.WriteAllText(_file, text);

        var explained = await ExplainAsync("--log-line", _file);

        Assert.Equal((1, ""), (explained.ExitCode, explained.Output));
        Assert.Contains(problem, explained.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_and_another_request_beside_the_line_are_errors()
    {
        var missing = await ExplainAsync("--log-line", _file + ".not");
        Assert.Contains("cannot be read", missing.Error, StringComparison.Ordinal);
        Assert.Equal(1, missing.ExitCode);
        foreach (var option in (string[])["--path", "--method"])
        {
            var both = await ExplainAsync("--log-line", _file, option, "/");
            Assert.Contains($"--log-line and {option} are both given", both.Error, StringComparison.Ordinal);
            Assert.Equal((1, ""), (both.ExitCode, both.Output));
        }
    }

    public void Dispose()
    {
        Console.SetIn(_in);
        File.Delete(_file);
    }

    private Task<CommandResult> ExplainAsync(params string[] arguments) => ExplainAsync(static _ => { }, arguments);

    private async Task<CommandResult> ExplainAsync(Action<JsonObject> change, params string[] arguments)
    {
        using var folder = shared.World.Folder(settings =>
        {
            settings.WithoutRedis()
                .Set("ReverseProxy:Routes:organizations:Metadata", """{ "IpAllow": "10.0.0.0/8" }""")
                .Set("Authentication:ApiKeys:Keys:ci-robot", $$"""
                    { "Sha256": "{{new string('a', 64)}}", "Organizations": ["o-acme"], "Scopes": ["iot.connect"], "IpAllow": ["10.0.0.0/8"] }
                    """);
            change(settings);
        });
        return await CommandResult.RunAsync(["explain", "--config", folder.Path, .. arguments]);
    }
}
