using Gateway.Networking;
using IotCredentials.Failures;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks the section <c>Kestrel:Limits</c>.</summary>
internal static class KestrelLimitRules
{
    private const string Buffer = $"{KestrelLimits.Section}:{nameof(KestrelServerLimits.MaxRequestBufferSize)}";

    /// <summary>Kestrel accepts each limit, and MaxRequestBufferSize is at least MaxRequestLineSize and MaxRequestHeadersTotalSize.</summary>
    public static void Check(RuleContext context)
    {
        CheckEach(context);
        if (!context.HasErrorAt(KestrelLimits.Section)) CheckBuffer(context);
    }

    private static void CheckEach(RuleContext context)
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

    // Kestrel compares these limits only when it starts.
    private static void CheckBuffer(RuleContext context)
    {
        var limits = new KestrelServerLimits();
        KestrelLimits.Bind(new ConfigurationBuilder().AddInMemoryCollection(context.Snapshot.Values).Build(), limits);
        foreach (var (name, size) in new[]
        {
            (nameof(limits.MaxRequestLineSize), limits.MaxRequestLineSize), (nameof(limits.MaxRequestHeadersTotalSize), limits.MaxRequestHeadersTotalSize),
        })
        {
            if (!(limits.MaxRequestBufferSize < size)) continue;
            var other = $"{KestrelLimits.Section}:{name}";
            context.Error(context.Snapshot.Values.ContainsKey(Buffer) ? Buffer : other,
                $"does not fit: {name} is {size}, and MaxRequestBufferSize, which holds it, is {limits.MaxRequestBufferSize}. "
                + $"Write a buffer of {size} or more, or a smaller {name}.");
        }
    }

    // The two keys of a data rate form one limit.
    private static string LimitOf(string key) => key.Contains("DataRate:", StringComparison.OrdinalIgnoreCase) ? key[..key.LastIndexOf(':')] : key;
}
