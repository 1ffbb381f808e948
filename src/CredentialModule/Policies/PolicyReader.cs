using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace IotCredentials.Policies;

/// <summary>Reads a template's file into the closed tree: strict JSON, each member once, each string parsed for placeholders.</summary>
internal static class PolicyReader
{
    /// <summary>A condition's list of values is at depth 6.</summary>
    private const int DeepestLevel = 8;

    /// <summary>
    /// Limits the work on a file that is no policy: a policy has at most 2,048 characters when it is sent, and the rest would be indentation.
    /// </summary>
    private const int LongestFile = 16 * 1024;

    /// <summary>The tree; null, with a finding, if the file is not JSON.</summary>
    public static PolicyNode? Read(ReadOnlySpan<byte> utf8, List<Finding> findings)
    {
        if (utf8.Length > LongestFile)
            return Refuse(findings, FindingCode.Length, $"The file has {utf8.Length} bytes; a template has at most {LongestFile}.");
        if (utf8.StartsWith(Encoding.UTF8.Preamble))
            return Refuse(findings, FindingCode.NotJson, "The file begins with a byte order mark; save it as UTF-8 without one.");
        if (utf8.Contains((byte)0))
            return Refuse(findings, FindingCode.NotJson, "The file holds zero bytes, as UTF-16 does; save it as UTF-8.");
        if (!Utf8.IsValid(utf8))
            return Refuse(findings, FindingCode.NotJson, "The file is not UTF-8.");

        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Disallow, AllowTrailingCommas = false });
        try
        {
            reader.Read();
            var root = ReadValue(ref reader, "", 1, findings);
            // The reader throws for anything after the value only when it reads on.
            reader.Read();
            return root;
        }
        catch (JsonException exception)
        {
            return Refuse(findings, FindingCode.NotJson,
                $"The file is not JSON as RFC 8259 has it, which has no comments and no comma before }} or ]: "
                + $"see line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}.");
        }
    }

    private static PolicyNode ReadValue(ref Utf8JsonReader reader, string path, int depth, List<Finding> findings)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject or JsonTokenType.StartArray when depth > DeepestLevel:
                reader.Skip();
                return Invalid(path, FindingCode.Depth, $"is nested more than {DeepestLevel} levels deep.", findings);
            case JsonTokenType.StartObject:
                return ReadObject(ref reader, path, depth, findings);
            case JsonTokenType.StartArray:
                var items = new List<PolicyNode>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    items.Add(ReadValue(ref reader, $"{path}[{items.Count}]", depth + 1, findings));
                return new PolicyArray(path, items);
            case JsonTokenType.String:
                return ReadText(ref reader, path, Placeholders.All, findings) is { } text ? new PolicyString(path, text) : new PolicyInvalid(path);
            case JsonTokenType.True or JsonTokenType.False:
                return new PolicyBoolean(path, reader.GetBoolean());
            case JsonTokenType.Number:
                return new PolicyNumber(path, Encoding.ASCII.GetString(reader.ValueSpan));
            default:
                return Invalid(path, FindingCode.MemberType, "is null; write a value, or remove the member.", findings);
        }
    }

    private static PolicyObject ReadObject(ref Utf8JsonReader reader, string path, int depth, List<Finding> findings)
    {
        var members = new List<KeyValuePair<string, PolicyNode>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = ReadText(ref reader, path.Length == 0 ? "A member's name" : $"{path}: a member's name", Placeholders.None, findings)?.Source;
            reader.Read();
            var memberPath = path.Length == 0 ? name ?? "?" : $"{path}.{name ?? "?"}";
            var value = ReadValue(ref reader, memberPath, depth + 1, findings);
            if (name is null)
                continue;
            // IAM might use the first or the last of two equal members, and the operator may expect the other.
            if (names.Add(name))
                members.Add(KeyValuePair.Create(name, value));
            else
                findings.Add(Finding.Of(FindingCode.DuplicateMember, $"{memberPath} is there more than once."));
        }

        return new PolicyObject(path, members);
    }

    private static TemplateText? ReadText(ref Utf8JsonReader reader, string where, Placeholders allowed, List<Finding> findings)
    {
        string text;
        try
        {
            text = reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            findings.Add(Finding.Of(FindingCode.Character, $"{where} holds half a surrogate pair; a text is printable ASCII."));
            return null;
        }

        if (TemplateText.TryParse(text, allowed, out var template, out var finding))
            return template;
        findings.Add(finding with { Message = $"{where} {finding.Message}" });
        return null;
    }

    private static PolicyInvalid Invalid(string path, string code, string message, List<Finding> findings)
    {
        findings.Add(Finding.Of(code, $"{(path.Length == 0 ? "The file" : path)} {message}"));
        return new PolicyInvalid(path);
    }

    private static PolicyNode? Refuse(List<Finding> findings, string code, string message)
    {
        findings.Add(Finding.Of(code, message));
        return null;
    }
}
