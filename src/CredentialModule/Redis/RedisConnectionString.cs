using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace IotCredentials.Redis;

/// <summary>
/// Validates a connection string. StackExchange.Redis treats every part without <c>=</c> as a host name, even a URL with its password or a password alone, and
/// logs it.
/// </summary>
public static partial class RedisConnectionString
{
    private const string Form = "write \"host:port\", more of them and options such as \"ssl=true\", \"user=…\" and \"password=…\" after commas";

    // An option written with a colon would be read as a host.
    private static readonly string[] s_options =
    [
        "password", "user", "username", "pwd", "pass", "ssl", "name", "channelPrefix", "defaultDatabase", "serviceName",
    ];

    /// <summary>The problem and the remedy, without any part of the text; null if the text can be used.</summary>
    public static string? ProblemOf(string text)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var hosts = parts.Where(static part => !part.Contains('=', StringComparison.Ordinal)).ToList();
        var wrong = parts.Any(Url().IsMatch)
            ? $"it is a URL: write \"host:port{(text.Contains("rediss:", StringComparison.OrdinalIgnoreCase) ? ",ssl=true" : "")},user=…,password=…\", "
                + "where what a URL escapes (%40) stands for itself"
            : text.AsSpan().ContainsAny('\r', '\n') || IsQuoted(text) || parts.Any(static part => part.Split('=', 2) is [_, var value] && IsQuoted(value))
                ? $"quotation marks and line breaks would be part of a value: {Form}, and nothing around them"
            : parts.Any(static part => part.Split('=')[0].Contains(';', StringComparison.Ordinal)) || parts.Any(OtherSeparator().IsMatch)
                ? $"only commas separate: {Form}"
            : hosts.Count == 0
                || !hosts.Select(static (part, index) => IsEndPoint(part, isFirst: index == 0)).All(static isEndPoint => isEndPoint)
                || !IsUnderstood(text)
                ? Form
            : null;
        if (wrong is null && ConfigurationOptions.Parse(text).Proxy != Proxy.None)
            return "names a proxy, and scripts, scans and messages do not pass one: take proxy=… out, and name the servers; without Redis, leave the key out.";
        return wrong is null ? null : $"is not a connection string of StackExchange.Redis: {wrong}; without Redis, leave the key out.";
    }

    /// <summary>The options of a valid connection string that have no effect here, each with the reason.</summary>
    public static IEnumerable<(string Name, string Reason)> IneffectiveOptionsOf(string text) =>
        from name in RedisClientOptions.NamesIn(text)
        where RedisClientOptions.Overridden.ContainsKey(name)
        select (name, RedisClientOptions.Overridden[name]);

    private static bool IsQuoted(string text) => text.Trim() is [var first, .., var last] && first == last && first is ('"' or '\'' or '`');

    private static bool IsEndPoint(string part, bool isFirst)
    {
        if (isFirst && Uri.CheckHostName(part) != UriHostNameType.Unknown) return true;
        var colon = part.StartsWith('[') ? part.IndexOf("]:", StringComparison.Ordinal) + 1 : part.LastIndexOf(':');
        return colon > 0
            && int.TryParse(part.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            && port is > 0 and <= IPEndPoint.MaxPort
            && Uri.CheckHostName(part[..colon]) != UriHostNameType.Unknown
            && !s_options.Contains(part[..colon], StringComparer.OrdinalIgnoreCase);
    }

    private static bool IsUnderstood(string text)
    {
        try
        {
            return ConfigurationOptions.Parse(text).EndPoints.Count > 0;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"[;\s]\s*(password|user|ssl|name|serviceName|defaultDatabase|abortConnect|connectTimeout|channelPrefix)\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex OtherSeparator();

    [GeneratedRegex(@"^\W?[a-z][a-z0-9+.-]*://", RegexOptions.IgnoreCase)]
    private static partial Regex Url();
}
