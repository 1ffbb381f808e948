using System.Collections.Concurrent;
using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>A user has few inotify instances for all processes together: the gateway needs none.</summary>
public sealed class FileWatcherTests(FileWatcherTests.Shared shared) : IClassFixture<FileWatcherTests.Shared>
{
    [Fact]
    public async Task A15_a_gateway_that_serves_has_no_file_watcher()
    {
        var gateway = await shared.World.StartGatewayProcessAsync(static settings => settings.WithoutRedis());

        var links = Directory.GetFiles($"/proc/{gateway.Id}/fd").Select(static file => File.ResolveLinkTarget(file, returnFinalTarget: false)?.Name ?? "");

        Assert.DoesNotContain(links, static link => link.Contains("inotify", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("check")]
    [InlineData("explain", "--organization", "o-acme")]
    [InlineData("doctor")]
    [InlineData("check", "--environment", "Development")]
    public async Task A15_a_command_works_where_no_file_watcher_can_be_made(params string[] command)
    {
        using var folder = shared.World.Folder(static settings => settings.WithoutRedis());
        var environment = new Dictionary<string, string>(shared.World.Aws.EnvironmentVariables);
        if (command.Contains("--environment")) (environment["ASPNETCORE_ENVIRONMENT"], command) = (command[^1], command[..^2]);
        var lines = new ConcurrentQueue<string>();

        using var process = ChildProcess.Start(
            "unshare",
            [
                "--user", "--map-root-user", "sh", "-c", "echo 0 > /proc/sys/user/max_inotify_instances && exec dotnet \"$@\"", "sh",
                Path.Combine(AppContext.BaseDirectory, "Gateway.dll"), .. command, "--config", folder.Path,
            ],
            environment,
            lines.Enqueue);
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, string.Join('\n', lines));
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
