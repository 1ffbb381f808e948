using System.Text;

namespace Sandbox.IotDataPlane;

/// <summary>AWS's limits and MQTT's grammar of topics and topic filters.</summary>
internal static class MqttTopics
{
    private const int MaxBytes = 256;
    private const int MaxSlashes = 7;

    /// <summary>Whether a message can be published to a topic.</summary>
    public static bool IsTopic(string topic) => IsWithinLimits(topic) && topic.AsSpan().IndexOfAny("+#\0") < 0;

    /// <summary>Whether a filter can be subscribed to. That of a shared subscription is given without its group.</summary>
    public static bool IsFilter(string filter)
    {
        if (!IsWithinLimits(filter) || filter.Contains('\0', StringComparison.Ordinal)) return false;
        var levels = filter.Split('/');
        // A wildcard is a whole level, and `#` the last.
        return !levels.Where((level, index) =>
            level.AsSpan().IndexOfAny("+#") >= 0 && level != "+" && (level != "#" || index < levels.Length - 1)).Any();
    }

    /// <summary>Splits <c>$share/GROUP/FILTER</c>; null if a filter is no valid one of a shared subscription.</summary>
    public static (string Group, string Filter)? Shared(string filter) =>
        filter.Split('/', 3) is ["$share", { Length: > 0 } group, var shared] && group.AsSpan().IndexOfAny("+#") < 0 && IsFilter(shared)
            ? (group, shared)
            : null;

    private static bool IsWithinLimits(string topic)
    {
        // The first three levels of AWS's own topics do not count.
        var slashes = topic.Count(static character => character == '/') - (topic.StartsWith("$aws/", StringComparison.Ordinal) ? 3 : 0);
        return topic.Length > 0 && slashes <= MaxSlashes && Encoding.UTF8.GetByteCount(topic) <= MaxBytes;
    }
}
