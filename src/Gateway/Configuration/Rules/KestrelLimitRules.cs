using Gateway.Edge;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Configuration.Rules;

/// <summary>Kestrel takes the limits that it is given.</summary>
internal static class KestrelLimitRules
{
    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        var written = context.Snapshot.Values.Where(value => value.Key.StartsWith(KestrelLimits.Section + ":", StringComparison.OrdinalIgnoreCase));
        foreach (var limit in written.GroupBy(value => LimitOf(value.Key)))
        {
            try
            {
                KestrelLimits.Bind(new ConfigurationBuilder().AddInMemoryCollection(limit).Build(), new KestrelServerLimits());
            }
            catch (Exception exception)
            {
                var reason = exception;
                while (reason.InnerException is { } inner) reason = inner;
                context.Error(limit.First().Key, $"is refused by Kestrel: {SecretText.HideInSentence(reason.Message)}");
            }
        }
    }

    // The two halves of a rate are one limit.
    private static string LimitOf(string key) => key.Contains("DataRate:", StringComparison.OrdinalIgnoreCase) ? key[..key.LastIndexOf(':')] : key;
}
