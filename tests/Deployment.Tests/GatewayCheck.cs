using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>Judges what a deployment gives to the gateway by the gateway's own <c>check</c>.</summary>
internal static class GatewayCheck
{
    /// <summary>The folder of the shipped configuration, which an image holds.</summary>
    public static string ShippedFolder { get; } = Path.Combine(Repository.Root, "appsettings");

    /// <summary>
    /// Expects no finding but the warning that management listens on every address: probes and scrapes come from outside, and the deployment lets no one else
    /// reach that port.
    /// </summary>
    public static async Task PassesAsync(string folder, IEnumerable<KeyValuePair<string, string>> environment, bool managementIsOpen = true)
    {
        var (exitCode, output) = await GatewayProcess.RunAsync(["check", "--config", folder], environment);

        Assert.True(exitCode == 0, output);
        var warnings = output.Split('\n').Where(static line => line.StartsWith("warning ", StringComparison.Ordinal)).ToList();
        if (managementIsOpen) Assert.StartsWith("warning Management:Url ", Assert.Single(warnings), StringComparison.Ordinal);
        else Assert.Empty(warnings);
    }
}
