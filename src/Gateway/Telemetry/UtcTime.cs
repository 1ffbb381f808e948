using System.Globalization;

namespace Gateway.Telemetry;

/// <summary>Times in logs and messages: UTC, in the format of ISO 8601 and RFC 3339, independent of the process's culture.</summary>
internal static class UtcTime
{
    /// <summary>The length of a time in milliseconds.</summary>
    public const int LengthOfMilliseconds = 24;

    /// <summary>The length of a time in seconds.</summary>
    public const int LengthOfSeconds = 20;

    /// <summary>The format of a time in milliseconds, such as <c>2026-01-31T08:00:00.000Z</c>.</summary>
    public const string MillisecondsFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    private const int LengthOfRoundTrip = 28;

    /// <summary>A time in whole seconds, such as <c>2026-01-31T08:00:00Z</c>.</summary>
    public static string Seconds(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Writes a time in milliseconds, in ASCII.</summary>
    public static void WriteMilliseconds(DateTimeOffset time, Span<byte> text) => Write(time, text[..LengthOfMilliseconds]);

    /// <summary>Writes a time in whole seconds, in ASCII.</summary>
    public static void WriteSeconds(DateTimeOffset time, Span<byte> text) => Write(time, text[..LengthOfSeconds]);

    // The framework's round-trip format has the same start with more digits, and is several times as fast as a custom one.
    private static void Write(DateTimeOffset time, Span<byte> text)
    {
        Span<byte> whole = stackalloc byte[LengthOfRoundTrip];
        time.UtcDateTime.TryFormat(whole, out _, "O", CultureInfo.InvariantCulture);
        whole[..(text.Length - 1)].CopyTo(text);
        text[^1] = (byte)'Z';
    }
}
