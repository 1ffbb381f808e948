using System.Buffers;
using System.Text.Json;
using Gateway.Telemetry;

namespace Gateway.Logs;

/// <summary>One line of a log, in a buffer that is used again and again.</summary>
internal sealed class LogLine
{
    private static readonly JsonEncodedText s_time = JsonEncodedText.Encode("time");

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public LogLine() => Json = new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true });

    private Utf8JsonWriter Json { get; }

    /// <summary>The line.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>How long the line can become without a larger buffer.</summary>
    public int Capacity => _bytes.Capacity;

    /// <summary>Begins a new line.</summary>
    public void Clear() => _bytes.ResetWrittenCount();

    /// <summary>Adds text.</summary>
    public void Write(ReadOnlySpan<byte> text) => _bytes.Write(text);

    /// <summary>Begins an object of JSON with the member <c>time</c>.</summary>
    public Utf8JsonWriter BeginJson(DateTimeOffset time)
    {
        Json.Reset();
        Json.WriteStartObject();
        Span<byte> text = stackalloc byte[UtcTime.LengthOfMilliseconds];
        UtcTime.WriteMilliseconds(time, text);
        Json.WriteString(s_time, text);
        return Json;
    }

    /// <summary>Ends the object and the line.</summary>
    public void EndJson()
    {
        Json.WriteEndObject();
        Json.Flush();
        _bytes.Write("\n"u8);
    }
}
