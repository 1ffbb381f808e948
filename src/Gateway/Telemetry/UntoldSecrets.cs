using Microsoft.Extensions.Options;

namespace Gateway.Telemetry;

/// <summary>
/// Keeps out of the log, whatever levels an operator sets there, what writes whole URLs, headers or parts of a request.
/// As a filter on every rule: a rule of its own would give way to a longer category's, or to one for a single provider.
/// </summary>
internal sealed class UntoldSecrets : IPostConfigureOptions<LoggerFilterOptions>
{
    private static readonly (string Category, LogLevel From, LogLevel Below)[] s_bounds =
    [
        // Whole URLs; and a start that failed, stack trace and all, which the program tells in a line.
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning, LogLevel.Critical),
        ("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, LogLevel.None),
        // Request lines and headers that do not parse, and frames. It also leaves them out of its exceptions when nobody listens below a warning.
        ("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, LogLevel.None),
        // URLs of services, with the client's query; and exceptions whose texts quote what a service sent. ForwardingErrors says what failed.
        ("Yarp.ReverseProxy.Forwarder", LogLevel.None, LogLevel.None),
        // The same of health probes.
        ("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogLevel.Information, LogLevel.Warning),
        // URLs and headers of requests that the gateway itself makes; at Warning and above, exceptions again.
        ("System.Net.Http", LogLevel.None, LogLevel.None),
        // It reports the key ring that there is not as a failure.
        ("Microsoft.AspNetCore.DataProtection", LogLevel.None, LogLevel.None),
    ];

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // Where no rule fits, the least level decides, and no filter is asked.
        options.Rules.Insert(0, new LoggerFilterRule(null, null, options.MinLevel, null));
        for (var i = 0; i < options.Rules.Count; i++)
        {
            var rule = options.Rules[i];
            options.Rules[i] = new LoggerFilterRule(rule.ProviderName, rule.CategoryName, rule.LogLevel, (provider, category, level) =>
                IsTold(category, level) && (rule.Filter is null || rule.Filter(provider, category, level)));
        }
    }

    private static bool IsTold(string? category, LogLevel level)
    {
        foreach (var bound in s_bounds)
        {
            if (category?.StartsWith(bound.Category, StringComparison.OrdinalIgnoreCase) == true) return level >= bound.From && level < bound.Below;
        }

        return true;
    }
}
