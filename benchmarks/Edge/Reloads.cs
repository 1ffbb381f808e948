using System.Text.Json.Nodes;

namespace Edge;

/// <summary>An operator who saves a change of the gateway's configuration again and again.</summary>
internal sealed class Reloads(Gateway gateway, HttpClient client)
{
    private const string File = "appsettings.json";
    private static readonly TimeSpan s_every = TimeSpan.FromMilliseconds(500);

    private int _limit = Configurations.PermitLimit;

    /// <summary>Saves a change each half second until the work has ended.</summary>
    /// <exception cref="InvalidOperationException">The gateway applied none of them.</exception>
    public async Task WhileSavingAsync(Func<Task> work)
    {
        using var timer = new PeriodicTimer(s_every);
        var before = await AppliedAsync();
        var running = work();
        while (!running.IsCompleted)
        {
            var settings = JsonNode.Parse(gateway.Folder.Read(File))!.AsObject();
            Configurations.SetLimit(settings, ++_limit);
            gateway.Folder.Write(File, settings.ToJsonString());
            await timer.WaitForNextTickAsync();
        }

        await running;
        if (await AppliedAsync() == before) throw new InvalidOperationException("The gateway applied none of the changes.");
    }

    private async Task<string?> AppliedAsync() => (await client.GetStringAsync(new Uri(gateway.ManagementUrl + "/metrics"))).Split('\n').FirstOrDefault(line =>
        line.StartsWith("gateway_configuration_reloads_total{", StringComparison.Ordinal) && line.Contains("\"applied\"", StringComparison.Ordinal))
        ?.Split("} ")[1].Split(' ')[0];
}
