using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A file that is absent while it is replaced is not taken for a removed one.</summary>
public sealed class ReloadAbsentFileTests : IAsyncLifetime
{
    private const string Overlay = "appsettings.Test.json";

    // Its time does not pass, so that only the tests check the files.
    private World _world = null!;
    private RunningGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        var folder = _world.Folder(settings => settings.WithoutRedis());
        folder.Write(Overlay, new JsonObject().Route("overlay", "/overlay/{**rest}").ToJsonString());
        _gateway = await RunningGateway.StartAsync(_world, folder);
    }

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        await _world.DisposeAsync();
    }

    /// <summary>
    /// d: the overlay is deleted. w: it is written again. m: the main file gets another route. c: the files are checked.
    /// </summary>
    [Theory]
    [InlineData("c", true, false)]
    [InlineData("dc", true, false)]
    [InlineData("dcwc", true, false)]
    [InlineData("dcwcdc", true, false)]
    [InlineData("dcc", false, false)]
    [InlineData("dccwc", true, false)]
    [InlineData("mc", true, true)]
    [InlineData("dmc", true, false)]
    [InlineData("dmcc", false, true)]
    [InlineData("dcmc", true, false)]
    [InlineData("dcmcc", false, true)]
    [InlineData("dcmwc", true, true)]
    public async Task The_overlay_is_removed_once_two_checks_in_a_row_find_the_same_files_without_it(string steps, bool hasOverlay, bool hasMain)
    {
        var overlay = _gateway.Folder.Read(Overlay);
        foreach (var step in steps)
        {
            if (step == 'd') File.Delete(Path.Combine(_gateway.Folder.Path, Overlay));
            else if (step == 'w') _gateway.Folder.Write(Overlay, overlay);
            else if (step == 'c') await _gateway.CheckForChangesAsync();
            else
            {
                var settings = JsonNode.Parse(_gateway.Folder.Read("appsettings.json"))!.AsObject();
                _gateway.Folder.Write("appsettings.json", settings.Route("main", "/main/{**rest}").ToJsonString());
            }
        }

        Assert.Equal(
            (hasOverlay ? 200 : 404, hasMain ? 200 : 404),
            ((await _gateway.SendAsync("/overlay/1", _world.Token())).Status, (await _gateway.SendAsync("/main/1", _world.Token())).Status));
        Assert.False(_gateway.IsConfigurationRefused);
    }
}
