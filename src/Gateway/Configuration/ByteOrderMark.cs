using System.Text;

namespace Gateway.Configuration;

/// <summary>The byte-order mark that some editors and services write before UTF-8 text. It is no part of the text.</summary>
internal static class ByteOrderMark
{
    /// <summary>Returns the content behind the mark, or all of it if there is none.</summary>
    public static ReadOnlyMemory<byte> Skip(ReadOnlyMemory<byte> content) => content.Span.StartsWith("\uFEFF"u8) ? content[3..] : content;

    /// <summary>Returns the text behind the mark.</summary>
    public static string Text(byte[] content) => Encoding.UTF8.GetString(Skip(content).Span);
}
