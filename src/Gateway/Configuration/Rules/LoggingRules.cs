using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration.Rules;

/// <summary>The console's own settings are such as it can use: it reads them at a reload, where a value that is none would be met too late.</summary>
internal static class LoggingRules
{
    private const string Section = "Logging";

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        if (!context.Snapshot.Values.Keys.Any(static key => key.StartsWith($"{Section}:Console", StringComparison.OrdinalIgnoreCase))) return;
        var section = new ConfigurationBuilder().Add(new GatedConfigurationProvider(context.Snapshot)).Build().GetSection(Section);
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
