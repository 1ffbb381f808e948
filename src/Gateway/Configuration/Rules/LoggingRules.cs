using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration.Rules;

/// <summary>
/// Checks the console logger's settings. The logger reads them again at a reload, and an invalid value would then be detected too late.
/// </summary>
internal static class LoggingRules
{
    private const string Section = "Logging";

    /// <summary>The settings of Logging:Console can be bound to the console logger's options.</summary>
    public static void Check(RuleContext context)
    {
        if (!context.Snapshot.Values.Keys.Any(static key => key.StartsWith($"{Section}:Console", StringComparison.OrdinalIgnoreCase))) return;
        var section = new ConfigurationBuilder().Add(new SnapshotConfigurationProvider(context.Snapshot)).Build().GetSection(Section);
        using var services = new ServiceCollection().AddLogging(logging => logging.AddConfiguration(section).AddConsole()).BuildServiceProvider();
        Read<ConsoleLoggerOptions>("Console");
        Read<SimpleConsoleFormatterOptions>("Console:FormatterOptions");
        Read<JsonConsoleFormatterOptions>("Console:FormatterOptions");

        void Read<T>(string name)
        {
            try
            {
                _ = services.GetRequiredService<IOptionsMonitor<T>>().CurrentValue;
            }
            catch (InvalidOperationException e)
            {
                context.Error($"{Section}:{name}", $"cannot be used: {SecretText.HideInSentence(e.Message)}");
            }
        }
    }
}
