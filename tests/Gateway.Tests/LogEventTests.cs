using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>Every log event has an id and a name of its own, in the range of its assembly, and docs/log-events.md lists them.</summary>
public sealed class LogEventTests
{
    private static readonly LoggerMessageAttribute[] s_plugin = EventsOf(typeof(OrganizationId).Assembly);
    private static readonly LoggerMessageAttribute[] s_gateway = EventsOf(typeof(GatewayApplication).Assembly);

    [Fact]
    public void The_plugins_ids_are_1_to_99_and_the_gateways_100_to_199()
    {
        Assert.NotEmpty(s_plugin);
        Assert.NotEmpty(s_gateway);
        Assert.All(s_plugin, logged => Assert.InRange(logged.EventId, 1, 99));
        Assert.All(s_gateway, logged => Assert.InRange(logged.EventId, 100, 199));
    }

    [Fact]
    public void No_id_and_no_name_is_used_twice()
    {
        LoggerMessageAttribute[] all = [.. s_plugin, .. s_gateway];

        Assert.Empty(all.GroupBy(logged => logged.EventId).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Empty(all.GroupBy(logged => logged.EventName).Where(group => group.Count() > 1).Select(group => group.Key));
    }

    [Fact]
    public void The_documentation_lists_each()
    {
        var expected = s_plugin.Concat(s_gateway).OrderBy(logged => logged.EventId).Select(Row);

        var documented = File.ReadLines(Path.Combine(Repository.Root, "docs", "log-events.md")).Where(line => line.StartsWith('|')).Skip(2);

        Assert.Equal(string.Join('\n', expected), string.Join('\n', documented));
    }

    private static string Row(LoggerMessageAttribute logged) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {logged.EventId} | {logged.EventName} | {logged.Level} | "
            + $"{(logged.Message is "" ? "—" : logged.Message.Replace("\n", "\\n", StringComparison.Ordinal))} |");

    private static LoggerMessageAttribute[] EventsOf(Assembly assembly) =>
    [
        .. assembly.GetTypes()
            .SelectMany(
                type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Select(Event)
            .OfType<LoggerMessageAttribute>(),
    ];

    private static LoggerMessageAttribute? Event(MethodInfo method)
    {
        var logged = method.GetCustomAttribute<LoggerMessageAttribute>();
        // As the generator of these methods does.
        if (logged is not null) logged.EventName ??= method.Name;
        return logged;
    }
}
