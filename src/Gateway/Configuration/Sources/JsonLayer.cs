using System.Text;
using System.Text.Json;
using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Reads a JSON file, with comments and trailing commas. Each key's source is the file and the line, such as <c>appsettings.json:12</c>.
/// </summary>
internal static class JsonLayer
{
    /// <summary>Returns the file's content, or null when it is not JSON.</summary>
    public static ObjectNode? Read(ReadOnlySpan<byte> content, string source, FindingList findings)
    {
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        if (content.Trim(" \t\r\n"u8).IsEmpty)
        {
            findings.Unreadable(source, "is empty. Write { }, or remove the file if it is not appsettings.json.");
            return null;
        }

        // UTF-16 and UTF-32, by their mark or by the zeros beside an ASCII character.
        if (content is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, ..] or [_, 0, ..])
        {
            findings.Unreadable(source, "is text that is not UTF-8, such as UTF-16. Save it as UTF-8: PowerShell 5 writes UTF-16 unless told -Encoding utf8.");
            return null;
        }

        var reader = new Utf8JsonReader(content, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        var lines = new LineCounter(content, source);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                findings.Unreadable(source, "holds no JSON object. Write the sections between { and }.");
                return null;
            }

            var root = ReadObject(ref reader, ref lines, "", source, findings);
            // Content after the object is only detected by another read.
            reader.Read();
            return root;
        }
        catch (JsonException exception)
        {
            // The parser's message can contain part of the file, and so a secret.
            findings.Unreadable(
                source, $"is not JSON: see line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.{AdviceAt(content, exception)}");
        }
        catch (Exception exception) when (exception is InvalidOperationException or DecoderFallbackException)
        {
            findings.Unreadable(lines.SourceAt(reader.TokenStartIndex), "holds text that is not UTF-8.");
        }

        return null;
    }

    private static string AdviceAt(ReadOnlySpan<byte> content, JsonException exception)
    {
        for (var line = 0L; line < exception.LineNumber; line++) content = content[(content.IndexOf((byte)'\n') + 1)..];
        return exception.BytePositionInLine is { } position && position < content.Length ? (char)content[(int)position] switch
        {
            '#' => " A comment begins with //.",
            '\'' => " Write double quotes.",
            _ => "",
        } : "";
    }

    // Metadata is a flat list of names.
    private static string NameAdvice(string path) =>
        !path.EndsWith(":Metadata", StringComparison.OrdinalIgnoreCase) ? "Nest the sections, or choose another name."
        : path.StartsWith("ReverseProxy:Routes:", StringComparison.OrdinalIgnoreCase) ? "Nothing here reads such metadata of a route: remove it."
        : "Write another sign for it, such as a dot.";

    private static ObjectNode ReadObject(ref Utf8JsonReader reader, ref LineCounter lines, string path, string source, FindingList findings)
    {
        var node = new ObjectNode(source, false);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var keySource = lines.SourceAt(reader.TokenStartIndex);
            reader.Read();
            var value = ReadValue(ref reader, ref lines, path, name, keySource, findings);
            if (!KeyPath.IsName(name))
                findings.Error(KeyPath.Combine(path, name), keySource, $"a name is not empty and holds no \":\". {NameAdvice(path)}");
            else if (!node.Children.TryAdd(name, value))
                findings.Error(KeyPath.Combine(path, name), keySource,
                    node.Children.Keys.FirstOrDefault(other => KeyPath.DifferByCaseOnly(path, other, name)) is { } first
                    ? KeyPath.CaseMessage(first, name)
                    : $"line {keySource[(keySource.LastIndexOf(':') + 1)..]}: is given twice in one file, by {node.Children[name].Source} too. "
                        + "Remove one of the two.");
        }

        return node;
    }

    // The path of a single value is not made: there may be hundreds of thousands.
    private static Node ReadValue(ref Utf8JsonReader reader, ref LineCounter lines, string path, string name, string source, FindingList findings)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, ref lines, KeyPath.Combine(path, name), source, findings);
            case JsonTokenType.StartArray:
                var list = KeyPath.Combine(path, name);
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var itemSource = lines.SourceAt(reader.TokenStartIndex);
                    items.Add(ReadValue(ref reader, ref lines, list, KeyPath.Index(items.Count), itemSource, findings));
                }

                return new ListNode(source, false, items);
            case JsonTokenType.Null:
                return new NullNode(source);
            case JsonTokenType.String:
                return new ScalarNode(source, false, reader.GetString()!);
            default:
                return new ScalarNode(source, false, Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    // Positions are requested in ascending order, so each file is scanned once.
    private ref struct LineCounter(ReadOnlySpan<byte> content, string file)
    {
        private readonly ReadOnlySpan<byte> _content = content;
        private int _counted;
        private int _line = 1;
        private string? _source;

        public string SourceAt(long position)
        {
            var passed = _content[_counted..(int)position].Count((byte)'\n');
            _counted = (int)position;
            _line += passed;
            if (passed > 0) _source = null;
            return _source ??= $"{file}:{_line}";
        }
    }
}
