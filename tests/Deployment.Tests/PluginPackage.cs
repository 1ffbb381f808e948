using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Sandbox;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>
/// The plugin's package in a feed of its own, and a folder whose projects restore it from there. Other packages come from NuGet's folder on this machine, where
/// the restore of the solution has put them, so nothing is fetched. The sample and its tests are built once, with what docs/plugin.md shows beside them.
/// </summary>
public sealed partial class PluginPackage : IAsyncLifetime
{
    public const string Version = "0.0.1-test";

    // What a build leaves running would keep its output open.
    private static readonly Dictionary<string, string> s_build = new()
    {
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["UseSharedCompilation"] = "false",
        ["NuGetAudit"] = "false",
    };

    // Commands build, which takes seconds on an idle machine.
    private static readonly TimeSpan s_limit = 5 * Eventually.Limit;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("plugin-package-");

    public OpenIdProvider Issuer { get; private set; } = null!;

    public AwsEmulator Aws { get; private set; } = null!;

    /// <summary>The sample as it was built.</summary>
    public string Host => PathOf("samples/PluginHost");

    public string Tests => PathOf("samples/PluginHost.Tests");

    /// <summary>The version that the plugin's project has. The sample and the documents name it.</summary>
    public static string ReleasedVersion { get; } =
        VersionElement().Match(File.ReadAllText(Path.Combine(Repository.Root, "src", "CredentialModule", "CredentialModule.csproj"))).Groups[1].Value;

    /// <summary>The versions of packages that this repository is built with, by name.</summary>
    public static IReadOnlyDictionary<string, string> CentralVersions { get; } = PackageVersion()
        .Matches(File.ReadAllText(Path.Combine(Repository.Root, "Directory.Packages.props")))
        .ToDictionary(static version => version.Groups[1].Value, static version => version.Groups[2].Value);

    /// <summary>The blocks of docs/plugin.md, in order, with the name of the file that each is to be written to.</summary>
    public static IReadOnlyList<(string? File, string Language, string Content)> Blocks { get; } =
    [
        .. Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "plugin.md"))).Select(static block => (
            block.Groups["file"] is { Success: true, Value: var file } ? file : null, block.Groups["language"].Value, block.Groups["content"].Value)),
    ];

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public string Create(string name) => _folder.CreateSubdirectory(name).FullName;

    public string Copy(string folder, string name)
    {
        var target = Create(name);
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return target;
    }

    /// <summary>Packs the plugin from nothing, as <c>.ci/run</c> does, and returns the folder of the packages.</summary>
    public async Task<string> PackAsync(string name)
    {
        var project = Path.Combine(Repository.Root, "src", "CredentialModule");
        // Folders of its own: the build of the gateway may use the usual ones.
        foreach (var folder in (string[])["bin/Package", "obj/Package"])
            if (Directory.Exists(Path.Combine(project, folder))) Directory.Delete(Path.Combine(project, folder), recursive: true);
        var feed = PathOf(name);
        await SucceedAsync(
            $"dotnet pack '{project}' -c Release --no-restore -o '{feed}' -nologo -m:1 -p:Version={Version} -p:ContinuousIntegrationBuild=true "
            + "-p:OutputPath=bin/Package/ -p:IntermediateOutputPath=obj/Package/");
        return feed;
    }

    /// <summary>Runs commands of a shell in a folder until they end.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string commands, string? folder = null)
    {
        var lines = new ConcurrentQueue<string>();
        using var shell = ChildProcess.Start("bash", ["-ec", $"cd '{folder ?? _folder.FullName}'\n{commands}"], Environment(), lines.Enqueue);
        try
        {
            await shell.WaitForExitAsync().WaitAsync(s_limit);
            return (shell.ExitCode, string.Join('\n', lines));
        }
        catch (TimeoutException)
        {
            shell.Kill(entireProcessTree: true);
            throw new TimeoutException($"{commands} did not end:\n{string.Join('\n', lines)}");
        }
    }

    public async Task<string> SucceedAsync(string commands, string? folder = null)
    {
        var (exitCode, output) = await RunAsync(commands, folder);
        Assert.True(exitCode == 0, $"{commands}:\n{output}");
        return output;
    }

    /// <summary>Starts a built host with the sandbox's issuer and AWS, runs a test against its address, and returns what it has printed.</summary>
    public async Task<string> WithHostAsync(string folder, Func<string, Task> test)
    {
        var lines = new ConcurrentQueue<string>();
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = ChildProcess.Start(
            "dotnet",
            [
                Path.Combine(folder, "bin", "Debug", "net10.0", "PluginHost.dll"), "--contentRoot", folder, "--urls", "http://127.0.0.1:0",
                "--Authentication:Schemes:Bearer:Authority", Issuer.Issuer, "--Authentication:Schemes:Bearer:RequireHttpsMetadata", "false",
                "--IotCredentials:Timeout", "00:00:20",
            ],
            Aws.EnvironmentVariables,
            line =>
            {
                lines.Enqueue(line);
                if (Listening().Match(line) is { Success: true } listening) address.TrySetResult(listening.Groups[1].Value);
            });
        try
        {
            await Task.WhenAny(address.Task, host.WaitForExitAsync()).WaitAsync(Eventually.Limit);
            Assert.True(address.Task.IsCompleted, string.Join('\n', lines));
            await test(await address.Task);
        }
        finally
        {
            host.Kill();
            await host.WaitForExitAsync();
        }

        return string.Join('\n', lines);
    }

    public async ValueTask InitializeAsync()
    {
        Issuer = await OpenIdProvider.StartAsync();
        Aws = await AwsEmulator.StartAsync();
        var feed = await PackAsync("feed");
        File.WriteAllText(
            PathOf("NuGet.config"),
            $"<configuration><packageSources><clear /><add key=\"feed\" value=\"{feed}\" /></packageSources></configuration>");

        foreach (var project in (string[])["PluginHost", "PluginHost.Tests"])
        {
            var source = Path.Combine(Repository.Root, "samples", project);
            foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Where(file => !Built().IsMatch(file)))
            {
                var copy = PathOf(Path.Combine("samples", project, Path.GetRelativePath(source, file)));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.WriteAllText(copy, WithVersion(File.ReadAllText(file)));
            }
        }

        File.WriteAllText(Path.Combine(Tests, "Snippets.cs"), Snippets());
        const string Telemetry = "OpenTelemetry.Extensions.Hosting";
        await SucceedAsync($"dotnet add '{Tests}' package {Telemetry} --version {CentralVersions[Telemetry]} --no-restore");
        await SucceedAsync($"dotnet build '{Tests}' -m:1 -nologo -v q");
    }

    public async ValueTask DisposeAsync()
    {
        await Issuer.DisposeAsync();
        await Aws.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Names the version in the feed in place of the released one.</summary>
    public static string WithVersion(string text) => text
        .Replace($"\"IotCredentials\" Version=\"{ReleasedVersion}\"", $"\"IotCredentials\" Version=\"{Version}\"", StringComparison.Ordinal)
        .Replace($"package IotCredentials --version {ReleasedVersion}", $"package IotCredentials --version {Version}", StringComparison.Ordinal);

    // The short blocks of code: a type, or statements after `var builder`.
    private static string Snippets()
    {
        var blocks = Blocks.Where(block => block is { Language: "csharp", File: null }).Select(block => block.Content).ToList();
        Assert.True(blocks.Count >= 5, "docs/plugin.md has fewer snippets than it had");
        var types = blocks.Where(block => block.StartsWith("internal ", StringComparison.Ordinal)).ToList();
        return $$"""
            using System.Security.Claims;
            using Amazon.Runtime;
            using IotCredentials;
            using IotCredentials.Http;
            using Microsoft.AspNetCore.Authorization;
            using Microsoft.AspNetCore.Builder;
            using Microsoft.Extensions.Configuration;
            using Microsoft.Extensions.DependencyInjection;
            using OpenTelemetry.Metrics;

            internal static class Snippets
            {
                internal static void Add(WebApplicationBuilder builder)
                {
            {{string.Join('\n', blocks.Except(types))}}
                }
            }

            {{string.Join('\n', types)}}
            """;
    }

    private Dictionary<string, string> Environment()
    {
        var packages = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        return new(s_build) { ["NUGET_PACKAGES"] = PathOf("packages"), ["NUGET_FALLBACK_PACKAGES"] = packages };
    }

    [GeneratedRegex("<PackageVersion Include=\"(.+?)\" Version=\"(.+?)\"")]
    private static partial Regex PackageVersion();

    [GeneratedRegex("<Version>(.+)</Version>")]
    private static partial Regex VersionElement();

    [GeneratedRegex("(?:^`(?<file>[\\w/.]+)`[^\n]*:\n\n)?^```(?<language>[a-z]+)\n(?<content>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("Now listening on: (.+)$")]
    private static partial Regex Listening();

    [GeneratedRegex("[/\\\\](bin|obj)[/\\\\]")]
    private static partial Regex Built();
}
