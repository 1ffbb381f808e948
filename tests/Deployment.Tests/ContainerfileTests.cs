using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace Deployment.Tests;

public sealed class ContainerfileTests
{
    private static readonly string s_file = File.ReadAllText(Tool.Deploy("Containerfile"));

    [Fact]
    public async Task The_linter_finds_nothing()
    {
        var linted = await Tool.RunAsync(Tool.DockerfileLint, [Tool.Deploy("Containerfile")]);

        Assert.True(linted.ExitCode == 0 && linted.Output.Contains("Issues: None found", StringComparison.Ordinal), linted.All);
    }

    [Fact]
    public void The_image_has_no_shell_and_its_user_no_rights()
    {
        var final = s_file[s_file.LastIndexOf("FROM ", StringComparison.Ordinal)..];

        Assert.Matches("^FROM mcr.microsoft.com/dotnet/aspnet:[0-9.]+-noble-chiseled\n", final);
        Assert.Contains("\nUSER $APP_UID\n", final, StringComparison.Ordinal);
        Assert.DoesNotContain("\nRUN ", final, StringComparison.Ordinal);
        Assert.Contains("\nENTRYPOINT [\"dotnet\", \"Gateway.dll\"]", final, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_copied_path_is_there_and_not_ignored()
    {
        var ignore = File.ReadLines(Path.Combine(Repository.Root, ".dockerignore"));
        var kept = ignore.Where(static line => line.StartsWith('!')).Select(static line => line[1..]).ToList();
        var copied = Regex.Matches(s_file, "^COPY (?!--)(.+) [^ ]+$", RegexOptions.Multiline).SelectMany(static match => match.Groups[1].Value.Split(' '));

        Assert.All(kept, static path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), path));
        Assert.All(copied.Where(static path => path != "."), path =>
        {
            Assert.True(File.Exists(Path.Combine(Repository.Root, path)), path);
            Assert.Contains(kept, start => path == start || path.StartsWith(start + "/", StringComparison.Ordinal));
        });
    }
}
