using System.Text.Json.Nodes;
using Gateway.Logs;
using Gateway.Reloading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>A log that fails does not end what logs.</summary>
public sealed class FailingLogTests
{
    [Theory]
    [InlineData("simple", "yyyy-MM-dd'T HH:mm:ss ")]
    [InlineData("json", "H")]
    public async Task A_running_gateway_rejects_a_format_that_no_line_can_be_written_with(string formatter, string format)
    {
        await using var world = await World.StartAsync();
        var folder = world.Folder(settings => settings.WithoutRedis().Set("Logging:Console:FormatterName", $"\"{formatter}\""));
        await using var gateway = await GatewayProcess.StartAsync(folder, world.Aws.EnvironmentVariables);

        Write(settings => settings.Set("Logging:Console:FormatterOptions:TimestampFormat", $"\"{format}\""));
        await Eventually.IsTrueAsync(() => gateway.Output.Contains("is rejected", StringComparison.Ordinal), () => gateway.Output);
        Write(settings =>
        {
            settings["Logging"]!["Console"]!.AsObject().Remove("FormatterOptions");
            settings.Route("new", "/new/{**rest}");
        });
        await Eventually.IsTrueAsync(() => gateway.Output.Contains("routes are in effect", StringComparison.Ordinal), () => gateway.Output);

        Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/new/1", world.Token())).Status);

        void Write(Action<JsonObject> change)
        {
            var settings = JsonNode.Parse(folder.Read("appsettings.json"))!.AsObject();
            change(settings);
            folder.Write("appsettings.json", settings.ToJsonString());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_line_that_cannot_be_formatted_is_written_as_its_message(bool hasNoMessage)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis(),
            services => services.AddSingleton<ConsoleFormatter, FailingFormatter>().AddSingleton<ILoggerProvider, BufferedConsole>()
                .Configure<ConsoleLoggerOptions>(static console => console.FormatterName = FailingFormatter.Called));

        var logger = gateway.Services.GetRequiredService<ILogger<FailingLogTests>>();
        // The test's own log throws for a message without a text.
        _ = Record.Exception(() => logger.Log(
            LogLevel.Error, new EventId(7, "Seventh"), "state", null,
            (state, _) => hasNoMessage ? throw new InvalidOperationException() : $"the message, {state}"));

        var message = hasNoMessage ? "Seventh" : "the message, state";
        await gateway.Log.WaitForAsync(LogLevel.Information, $"{nameof(FailingLogTests)}[7] {message} (not formatted");
    }

    [Fact]
    public async Task The_configuration_is_reloaded_though_its_log_fails()
    {
        await using var world = await World.StartAsync();
        var failing = new FailingLog();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis(), services => services.AddSingleton<ILoggerProvider>(failing));
        var settings = gateway.Folder.Read("appsettings.json");

        gateway.Folder.Write("appsettings.json", "{}");
        await Eventually.IsTrueAsync(() => failing.Failures >= 2);
        var changed = JsonNode.Parse(settings)!.AsObject();
        changed.Route("new", "/new/{**rest}");
        gateway.Folder.Write("appsettings.json", changed.ToJsonString());

        await Eventually.IsTrueAsync(async () => (await gateway.SendAsync("/new/1", world.Token())).Status == 200);
    }

    private sealed class FailingFormatter() : ConsoleFormatter(Called)
    {
        public const string Called = "failing";

        public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
        {
            textWriter.Write("half a line");
            throw new FormatException();
        }
    }

    /// <summary>Throws for every error of the reloader.</summary>
    private sealed class FailingLog : ILoggerProvider, ILogger
    {
        private int _failures;

        public int Failures => Volatile.Read(ref _failures);

        public ILogger CreateLogger(string categoryName) => categoryName == typeof(ConfigurationReloader).FullName ? this : NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Interlocked.Increment(ref _failures);
            throw new InvalidOperationException();
        }

        public void Dispose() { }
    }
}
