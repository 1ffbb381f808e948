using System.Globalization;
using System.Text.RegularExpressions;
using Testing;

namespace Gateway.Tests.Telemetry;

internal sealed record ScrapeLine(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>What one scrape of <c>/metrics</c> returned.</summary>
internal sealed partial class Scrape
{
    private Scrape(string text)
    {
        Lines = [.. Line().Matches(text).Select(static line => new ScrapeLine(
            line.Groups["name"].Value,
            Label().Matches(line.Groups["labels"].Value).ToDictionary(
                static label => label.Groups["name"].Value, static label => label.Groups["value"].Value, StringComparer.Ordinal),
            double.Parse(line.Groups["value"].Value, CultureInfo.InvariantCulture)))];
    }

    public IReadOnlyList<ScrapeLine> Lines { get; }

    public static Task<Scrape> ReadAsync(World world, RunningGateway gateway) => ReadAsync(world, gateway.ManagementUrl);

    public static async Task<Scrape> ReadAsync(World world, string managementUrl) => new((await world.Client.SendAsync(managementUrl + "/metrics")).Body);

    /// <summary>The sum of the samples of a name that have these labels, such as <c>outcome="sts"</c>; null if there is none.</summary>
    public double? Sum(string name, params string[] labels)
    {
        var found = Lines.Where(sample => sample.Name == name && labels.All(label => sample.Labels.Any(own => $"{own.Key}=\"{own.Value}\"" == label)));
        return found.Any() ? found.Sum(static sample => sample.Value) : null;
    }

    [GeneratedRegex(@"^(?<name>[a-z_0-9]+)(\{(?<labels>.*)\})? (?<value>\S+)( \d+)?\r?$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex("(?<name>\\w+)=\"(?<value>([^\"\\\\]|\\\\.)*)\"")]
    private static partial Regex Label();
}
