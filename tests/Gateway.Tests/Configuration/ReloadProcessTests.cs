using System.Diagnostics;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Live reload as the process does it, by its own looks at its files.</summary>
public sealed class ReloadProcessTests
{
    [Fact]
    public async Task A_mounted_folder_that_is_swapped_by_its_link_is_seen()
    {
        await using var world = await World.StartAsync();
        using var before = world.Folder(settings => settings.WithoutRedis());
        using var after = world.Folder(settings => settings.WithoutRedis().Route("new", "/new/{**rest}"));
        var mounted = world.Folder();
        Directory.Delete(Path.Combine(mounted.Path, "policies"), recursive: true);
        File.Delete(Path.Combine(mounted.Path, "appsettings.json"));
        // As a ConfigMap is mounted: files are links into a folder that is itself a link, which is replaced in one step.
        Link("..data", before.Path);
        Link("appsettings.json", "..data/appsettings.json");
        Link("policies", "..data/policies");
        await using var gateway = await GatewayProcess.StartAsync(mounted, world.Aws.EnvironmentVariables);
        Assert.Equal(404, (await world.Client.SendAsync($"{gateway.Url}/new/1", world.Token())).Status);

        Link("..next", after.Path);
        using (var move = Process.Start("mv", ["-T", Path.Combine(mounted.Path, "..next"), Path.Combine(mounted.Path, "..data")]))
            await move.WaitForExitAsync(TestContext.Current.CancellationToken);

        await Eventually.IsTrueAsync(async () => (await world.Client.SendAsync($"{gateway.Url}/new/1", world.Token())).Status != 404, () => gateway.Output);

        void Link(string name, string target) => File.CreateSymbolicLink(Path.Combine(mounted.Path, name), target);
    }
}
