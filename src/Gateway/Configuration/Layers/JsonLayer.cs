using System.Text;
using System.Text.Json;

namespace Gateway.Configuration.Layers;

/// <summary>Reads a file of JSON, with comments and trailing commas.</summary>
internal static class JsonLayer
{
    /// <summary>The file's content, or null when it is not JSON.</summary>
    public static ObjectNode? Read(ReadOnlySpan<byte> content, string source, FindingList findings)
    {
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        var reader = new Utf8JsonReader(content, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                findings.Unreadable(source, "holds no JSON object. Write the sections between { and }.");
                return null;
            }

            var root = ReadObject(ref reader, content, source, "", findings);
            // Only a further read shows what follows the object.
            reader.Read();
            return root;
        }
        catch (JsonException exception)
        {
            // The parser's own words can hold a piece of the file, and so of a secret.
            findings.Unreadable(source, $"is not JSON: see line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.");
        }
        catch (Exception exception) when (exception is InvalidOperationException or DecoderFallbackException)
        {
            findings.Unreadable(source, $"holds text that is not UTF-8: see line {LineOf(content, reader.TokenStartIndex)}.");
        }

        return null;
    }

    private static ObjectNode ReadObject(ref Utf8JsonReader reader, ReadOnlySpan<byte> content, string source, string path, FindingList findings)
    {
        var node = new ObjectNode(source, false);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            var position = reader.TokenStartIndex;
            var key = KeyPath.Combine(path, name);
            reader.Read();
            var value = ReadValue(ref reader, content, source, key, findings);
            if (!KeyPath.IsName(name))
                findings.Error(key, source,
                    $"line {LineOf(content, position)}: a name is not empty and holds no \":\". "
                    + "Nest the sections, or choose another name.");
            else if (!node.Children.TryAdd(name, value))
                findings.Error(key, source, node.Children.Keys.FirstOrDefault(other => KeyPath.DifferByCaseOnly(path, other, name)) is { } first
                    ? KeyPath.CaseMessage(first, name)
                    : $"line {LineOf(content, position)}: is given twice in one file. Remove one of the two.");
        }

        return node;
    }

    private static Node ReadValue(ref Utf8JsonReader reader, ReadOnlySpan<byte> content, string source, string path, FindingList findings)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, content, source, path, findings);
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadValue(ref reader, content, source, KeyPath.Combine(path, KeyPath.Index(items.Count)), findings));
                return new ListNode(source, false, items);
            case JsonTokenType.Null:
                return new NullNode(source);
            case JsonTokenType.String:
                return new ScalarNode(source, false, reader.GetString()!);
            default:
                return new ScalarNode(source, false, Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    private static int LineOf(ReadOnlySpan<byte> content, long position) => content[..(int)position].Count((byte)'\n') + 1;
}
