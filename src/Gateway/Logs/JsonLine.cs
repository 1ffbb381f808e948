using System.Buffers;
using System.Text.Json;
using Gateway.Telemetry;

namespace Gateway.Logs;

/// <summary>One line of JSON, in a buffer that a thread uses again and again.</summary>
internal sealed class JsonLine
{
    // A buffer that a long line has grown beyond this does not stay with its thread.
    private const int MostBytesKept = 16 * 1024;

    private readonly ArrayBufferWriter<byte> _bytes = new();

    private static readonly JsonEncodedText s_time = JsonEncodedText.Encode("time");

    [ThreadStatic]
    private static JsonLine? s_line;

    private JsonLine() => Json = new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true });

    public Utf8JsonWriter Json { get; }

    /// <summary>Begins a line with its time. The thread's line before must have ended.</summary>
    public static JsonLine Begin(DateTimeOffset time)
    {
        var line = s_line is { } kept && kept._bytes.Capacity <= MostBytesKept ? kept : s_line = new JsonLine();
        line._bytes.ResetWrittenCount();
        line.Json.Reset();
        line.Json.WriteStartObject();
        Span<byte> text = stackalloc byte[UtcTime.LengthOfMilliseconds];
        UtcTime.WriteMilliseconds(time, text);
        line.Json.WriteString(s_time, text);
        return line;
    }

    /// <summary>Ends the line, and adds it to a log.</summary>
    public void EndIn(LogOutput.Queue log)
    {
        Json.WriteEndObject();
        Json.Flush();
        _bytes.Write("\n"u8);
        log.TryWrite(_bytes.WrittenSpan);
    }
}
