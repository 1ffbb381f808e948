using Gateway.Telemetry;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Logs;

/// <summary>Registers the three logs: the ordinary log on the console, the access log and the audit log.</summary>
internal static class LogsExtensions
{
    public static void AddLogs(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton(_ => StandardOutput.Open());
        services.AddSingleton<LogOutputs>();
        services.AddSingleton<ITransformProvider, CountedResponses>();
        services.Remove(services.Single(service => service.ImplementationType == typeof(ConsoleLoggerProvider)));
        services.AddSingleton<ILoggerProvider, BufferedConsole>();
        // The builder sets the formatter after it has read the operator's.
        services.Configure<ConsoleLoggerOptions>(builder.Configuration.GetSection("Logging:Console"));
        services.AddSingleton<ILoggerProvider, AuditLog>();
        services.Configure<LoggerFilterOptions>(static filters => filters.Rules.Add(AuditLog.Filter));
        services.AddSingleton<IPostConfigureOptions<SimpleConsoleFormatterOptions>, Timestamps>();
        services.AddSingleton<IPostConfigureOptions<JsonConsoleFormatterOptions>, Timestamps>();
    }

    /// <summary>Sets the format of times, unless the operator has chosen one.</summary>
    private sealed class Timestamps : IPostConfigureOptions<SimpleConsoleFormatterOptions>, IPostConfigureOptions<JsonConsoleFormatterOptions>
    {
        public void PostConfigure(string? name, SimpleConsoleFormatterOptions options) => Set(options, UtcTime.MillisecondsFormat + " ");

        public void PostConfigure(string? name, JsonConsoleFormatterOptions options) => Set(options, UtcTime.MillisecondsFormat);

        private static void Set(ConsoleFormatterOptions options, string format)
        {
            if (options.TimestampFormat is not null) return;
            (options.TimestampFormat, options.UseUtcTimestamp) = (format, true);
        }
    }
}
