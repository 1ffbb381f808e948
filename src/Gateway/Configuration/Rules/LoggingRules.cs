using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;
using IotCredentials.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Gateway.Configuration.Rules;

/// <summary>Checks the settings of the logs.</summary>
internal static class LoggingRules
{
    private const string Section = "Logging";
    private const string FormatterOptions = "Console:FormatterOptions";

    // The access log and the audit log are no part of the ordinary log: levels do not apply to them.
    private static readonly (string Category, string Key)[] s_ownLogs = [("Gateway.Access", "AccessLog"), (ModuleRoute.AuditCategory, "AuditLog")];

    /// <summary>
    /// The settings of Logging:Console can be bound to the console logger's options, and its formatter writes a line with them. The folder of a log file
    /// exists. No level is set for a log that has none.
    /// </summary>
    public static void Check(RuleContext context)
    {
        CheckFile(context, "AccessLog", context.Options.AccessLog.Path);
        CheckFile(context, "AuditLog", context.Options.AuditLog.Path);
        CheckLevels(context);
        CheckConsole(context);
    }

    private static void CheckFile(RuleContext context, string section, string? path)
    {
        if (path is null) return;
        var file = path.Length == 0 ? "" : Path.GetFullPath(path, context.Snapshot.Folder);
        if (path.Length == 0 || Directory.Exists(file))
            context.Error($"{section}:Path", "names no file. Name a file, or take the key out to write to standard output.");
        else if (Path.GetDirectoryName(file) is { } folder && !Directory.Exists(folder))
            context.Error($"{section}:Path", $"names a file in {Finding.Quote(folder)}, a folder that does not exist. Make the folder.");
    }

    private static void CheckLevels(RuleContext context)
    {
        foreach (var key in context.Snapshot.Values.Keys.Where(static key => key.StartsWith($"{Section}:", StringComparison.OrdinalIgnoreCase)))
        {
            foreach (var (category, own) in s_ownLogs)
                if (key.EndsWith($"LogLevel:{category}", StringComparison.OrdinalIgnoreCase))
                    context.Warning(key, $"has no effect: that log has no levels. Write {own}:Enabled, true or false.");
        }
    }

    // The console logger reads its settings again at a reload, and an invalid value would then be detected too late.
    private static void CheckConsole(RuleContext context)
    {
        if (!context.Snapshot.Values.Keys.Any(static key => key.StartsWith($"{Section}:Console", StringComparison.OrdinalIgnoreCase))) return;
        var section = new ConfigurationBuilder().Add(new SnapshotConfigurationProvider(context.Snapshot)).Build().GetSection(Section);
        using var services = new ServiceCollection().AddLogging(logging => logging.AddConfiguration(section).AddConsole()).BuildServiceProvider();
        if (!IsBound<ConsoleLoggerOptions>("Console") || !IsBound<SimpleConsoleFormatterOptions>(FormatterOptions)
            || !IsBound<JsonConsoleFormatterOptions>(FormatterOptions)) return;
        var name = services.GetRequiredService<IOptionsMonitor<ConsoleLoggerOptions>>().CurrentValue.FormatterName ?? ConsoleFormatterNames.Simple;
        if (services.GetServices<ConsoleFormatter>().FirstOrDefault(formatter => formatter.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { } used)
            CheckFormatter(context, used);

        bool IsBound<T>(string part)
        {
            try
            {
                _ = services.GetRequiredService<IOptionsMonitor<T>>().CurrentValue;
                return true;
            }
            catch (Exception e) when (e is InvalidOperationException or ArgumentException)
            {
                context.Error($"{Section}:{part}", $"cannot be used: {SecretText.HideInSentence(e.Message)}");
                return false;
            }
        }
    }

    // A value that can be bound may still be one that no line can be written with. The line has all that a real one can have.
    private static void CheckFormatter(RuleContext context, ConsoleFormatter formatter)
    {
        var scopes = new LoggerExternalScopeProvider();
        KeyValuePair<string, object?>[] values = [KeyValuePair.Create("Name", (object?)"value")];
        using var scope = scopes.Push(values);
        try
        {
            formatter.Write(
                new LogEntry<KeyValuePair<string, object?>[]>(
                    LogLevel.Error, nameof(Gateway), new EventId(1, "Sample"), values, new InvalidOperationException(), static (_, _) => "sample"),
                scopes, TextWriter.Null);
        }
        catch (FormatException)
        {
            context.Error($"{Section}:{FormatterOptions}:TimestampFormat", "is not a format for times in .NET. Write one such as \"HH:mm:ss.fff \".");
        }
        catch (Exception e)
        {
            context.Error($"{Section}:{FormatterOptions}", $"cannot be used: no log line can be written with it. {SecretText.HideInSentence(e.Message)}");
        }
    }
}
