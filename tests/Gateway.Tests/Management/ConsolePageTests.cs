using System.Globalization;
using System.Text.RegularExpressions;
using IotCredentials.Vending;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>The page waits longer for an action than the gateway may take for it.</summary>
public sealed partial class ConsolePageTests
{
    [Fact]
    public void An_invalidation_has_more_time_than_the_gateway_takes_for_it()
    {
        var script = File.ReadAllText(Path.Combine(Repository.Root, "src", "Gateway", "Management", "Console", "Assets", "console.js"));

        var limit = int.Parse(Limit().Match(script).Groups["milliseconds"].Value, CultureInfo.InvariantCulture);
        Assert.InRange(TimeSpan.FromMilliseconds(limit), CacheInvalidation.LongestPass + TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(1));
        Assert.Contains("{ method: 'DELETE' }, INVALIDATION_TIMEOUT)", script, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\bINVALIDATION_TIMEOUT = (?<milliseconds>\d+)")]
    private static partial Regex Limit();
}
