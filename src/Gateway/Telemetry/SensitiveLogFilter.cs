using System.Buffers;
using Microsoft.Extensions.Options;

namespace Gateway.Telemetry;

/// <summary>
/// Keeps entries out of the log that contain whole URLs, headers or parts of a request, whatever log levels are configured. It filters within every rule: a
/// rule of its own would give way to one for a longer category or for a single provider. It also names the events of the other levels that clients cause.
/// </summary>
internal sealed class SensitiveLogFilter : IPostConfigureOptions<LoggerFilterOptions>
{
    private static readonly (string Category, LogLevel From, LogLevel Below)[] s_bounds =
    [
        // Whole URLs; and a failed start with its stack trace, which the program reports in one line.
        ("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning, LogLevel.Critical),
        ("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None, LogLevel.None),
        // A line for each connection above MaxConcurrentConnections; kestrel.rejected_connections counts them.
        ("Microsoft.AspNetCore.Server.Kestrel.Connections", LogLevel.Error, LogLevel.None),
        // Request lines and headers that cannot be parsed, and frames. Kestrel also leaves them out of its exceptions when no logger is enabled below Warning.
        ("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning, LogLevel.None),
        // URLs of services, with the client's query; and exceptions that quote a service's data. ForwardingErrors logs the failure instead.
        ("Yarp.ReverseProxy.Forwarder", LogLevel.None, LogLevel.None),
        // The same for health probes.
        ("Yarp.ReverseProxy.Health.ActiveHealthCheckMonitor", LogLevel.Information, LogLevel.Warning),
        // A line for each request: of any client that sends an unknown cookie, and of each that finds no destination, which event 111 says once a minute.
        ("Yarp.ReverseProxy.SessionAffinity", LogLevel.None, LogLevel.None),
        ("Yarp.ReverseProxy.LoadBalancing", LogLevel.None, LogLevel.None),
        // DestinationHealthReport logs it instead, recoveries at the level that is on.
        ("Yarp.ReverseProxy.Health.DestinationHealthUpdater", LogLevel.None, LogLevel.None),
        // URLs and headers of requests that the gateway itself makes; at Warning and above, also exceptions.
        ("System.Net.Http", LogLevel.None, LogLevel.None),
        // It repeats at each probe what the events of a dependency say once, with the exceptions of checks that throw. /health/ready and the console show it.
        ("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None, LogLevel.None),
        // The libraries that validate tokens write several lines for each new one, and an error for each that a stranger makes up. Refusals logs the reason.
        ("Microsoft.Identity", LogLevel.None, LogLevel.None),
        ("Microsoft.AspNetCore.Authentication.JwtBearer", LogLevel.Warning, LogLevel.None),
        // It reports the missing key ring as a failure; KeyRing removes it on purpose.
        ("Microsoft.AspNetCore.DataProtection", LogLevel.None, LogLevel.None),
    ];

    // A client can cause these as often as it connects, and the connection's metrics count them: one that resets its connection while it sends a body, which
    // Kestrel logs with a stack, and one that reads no responses.
    private static readonly (string Category, int Id)[] s_ofClients =
    [
        ("Microsoft.AspNetCore.Server.Kestrel", 67),
        ("Microsoft.AspNetCore.Server.Kestrel.Http2", 60),
    ];

    // Most categories start with another letter than all of these: they need not be compared.
    private static readonly SearchValues<char> s_initials = SearchValues.Create(
        [.. s_bounds.SelectMany(static bound => (char[])[char.ToUpperInvariant(bound.Category[0]), char.ToLowerInvariant(bound.Category[0])])]);

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // If no rule matches, only the minimum level decides and no filter runs. This first rule matches everything.
        options.Rules.Insert(0, new LoggerFilterRule(null, null, options.MinLevel, null));
        for (var i = 0; i < options.Rules.Count; i++)
        {
            var rule = options.Rules[i];
            options.Rules[i] = new LoggerFilterRule(rule.ProviderName, rule.CategoryName, rule.LogLevel, (provider, category, level) =>
                MayLog(category, level) && (rule.Filter is null || rule.Filter(provider, category, level)));
        }
    }

    /// <summary>Whether an event is one that a client alone causes.</summary>
    public static bool IsOfClient(string category, EventId id) => s_ofClients.Contains((category, id.Id));

    private static bool MayLog(string? category, LogLevel level)
    {
        if (category is not [var initial, ..] || !s_initials.Contains(initial)) return true;
        foreach (var bound in s_bounds)
        {
            if (category.StartsWith(bound.Category, StringComparison.OrdinalIgnoreCase)) return level >= bound.From && level < bound.Below;
        }

        return true;
    }
}
