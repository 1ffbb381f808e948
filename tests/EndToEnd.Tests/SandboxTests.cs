using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

public sealed partial class SandboxTests
{
    [Fact]
    public async Task What_it_prints_can_be_pasted_whatever_the_environment_says_and_an_interrupt_ends_it()
    {
        await using var sandbox = await SandboxProcess.StartAsync(["--port", "0"], new Dictionary<string, string>
        {
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:1",
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["AWS_PROFILE"] = "of-the-developer",
            ["AWS_ENDPOINT_URL_STS"] = "http://127.0.0.1:1",
            ["ConnectionStrings__Redis"] = "127.0.0.1:1",
            ["GATEWAY_CONFIG"] = "/nowhere",
            ["HTTP_PROXY"] = "http://127.0.0.1:1",
        });
        Assert.Equal(3, sandbox.Curls.Count);

        using var client = new HttpClient();
        var answers = new List<Response>();
        foreach (var curl in sandbox.Curls)
        {
            var parts = Curl().Match(curl);
            Assert.True(parts.Success, curl);
            var token = await client.SendAsync(
                parts.Groups["token"].Value, change: request => request.Headers.Accept.ParseAdd("text/plain"));
            answers.Add(await client.SendAsync(parts.Groups["url"].Value, token.Body));
        }

        Assert.Equal([200, 200, 403], answers.Select(answer => answer.Status));
        Assert.StartsWith("ASIA", answers[0].AccessKeyId, StringComparison.Ordinal);
        Assert.Equal("/organizations/o-acme/devices", answers[1].Json.GetProperty("target").GetString());
        Assert.Equal("Forbidden", answers[2].Error);

        // As pasted, where there is a curl. The credentials are cached, so that the answer is the same to the letter.
        if (await HasCurlAsync())
        {
            Assert.Equal(answers[0].Body, await BashAsync(sandbox.Curls[0]));
            Assert.Contains("\"/organizations/o-acme/devices\"", await BashAsync(sandbox.Curls[1]), StringComparison.Ordinal);
            Assert.Equal(answers[2].Body, await BashAsync(sandbox.Curls[2]));
        }

        await sandbox.EndsCleanlyAsync("INT");
    }

    [Fact]
    public async Task A_termination_ends_it_cleanly()
    {
        await using var sandbox = await SandboxProcess.StartAsync(["--port=0"]);

        await sandbox.EndsCleanlyAsync("TERM");
    }

    [Fact]
    public async Task A_taken_port_is_one_line_that_names_it_and_the_remedy()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var sandbox = SandboxProcess.Run(["--port", $"{port}"]);

        Assert.Equal(1, await sandbox.ExitCodeAsync());
        var line = Assert.Single(sandbox.Lines);
        Assert.StartsWith("error: ", line, StringComparison.Ordinal);
        Assert.Contains($":{port}", line, StringComparison.Ordinal);
        Assert.Contains("--port", line, StringComparison.Ordinal);
        Assert.Empty(sandbox.FoldersLeft);
    }

    [Theory]
    [InlineData("--prot", "8081")]
    [InlineData("--port")]
    [InlineData("--port", "65536")]
    [InlineData("--port", "-1")]
    [InlineData("8081")]
    public async Task What_it_does_not_understand_is_one_line_of_usage(params string[] arguments)
    {
        await using var sandbox = SandboxProcess.Run(arguments);

        Assert.Equal(2, await sandbox.ExitCodeAsync());
        Assert.StartsWith("usage: ", Assert.Single(sandbox.Lines), StringComparison.Ordinal);
        Assert.Empty(sandbox.FoldersLeft);
    }

    private static async Task<bool> HasCurlAsync()
    {
        using var which = ChildProcess.Start("bash", ["-c", "command -v curl"]);
        await which.WaitForExitAsync();
        return which.ExitCode == 0;
    }

    private static async Task<string> BashAsync(string line)
    {
        var output = new List<string>();
        using var bash = ChildProcess.Start("bash", ["-c", line], onLine: output.Add);
        await bash.WaitForExitAsync();
        return string.Join('\n', output);
    }

    [GeneratedRegex("""\$\(curl .* '(?<token>http://[^']+)'\)" (?<url>http://\S+)$""")]
    private static partial Regex Curl();
}
