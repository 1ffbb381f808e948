using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Configuration;

/// <summary>Writes <c>docs/configuration-keys.md</c>: every key of the schema in one table.</summary>
internal static partial class KeyReference
{
    private const string Beginning = """
        # All configuration keys

        Generated from the options by `SchemaTests` with `UPDATE_SCHEMA=1`, like `appsettings/appsettings.schema.json`. [configuration.md](configuration.md)
        explains the keys with examples. `NAME` is a name of your own; `[]` is each item of a list. Durations are written `hh:mm:ss` or `d.hh:mm:ss`.

        | key | value | default | |
        |---|---|---|---|

        """;

    public static string Write(string schema)
    {
        var table = new StringBuilder(Beginning.ReplaceLineEndings("\n"));
        AddKeys(table, "", JsonNode.Parse(schema)!.AsObject(), "");
        return table.ToString();
    }

    private static void AddKeys(StringBuilder table, string key, JsonObject schema, string ofSection)
    {
        var members = MembersOf(schema).ToArray();
        foreach (var (name, member) in members)
        {
            // For editors only.
            if (name == "$schema") continue;
            var path = key.Length == 0 ? name : name == "[]" ? key + name : $"{key}:{name}";
            // A name of the operator's own has no description but its section's.
            AddKeys(table, path, member, name == "NAME" ? (string?)schema["description"] ?? "" : "");
        }

        if (members.Length > 0) return;
        var description = (string?)schema["description"] ?? ofSection;
        var text = Space().Replace(Required().Replace(Default().Replace(description, ""), ""), " ").Trim();
        table.Append($"| `{key}` | {Cell(ValueOf(schema))} | {Cell(DefaultOf(key, schema, description))} | {Cell(text)} |\n");
    }

    private static IEnumerable<(string Name, JsonObject Schema)> MembersOf(JsonObject schema)
    {
        foreach (var (name, member) in schema["properties"] as JsonObject ?? new JsonObject()) yield return (name, member!.AsObject());
        foreach (var (_, member) in schema["patternProperties"] as JsonObject ?? new JsonObject()) yield return ("NAME", member!.AsObject());
        if (schema["additionalProperties"] is JsonObject named) yield return ("NAME", named);
        if (schema["items"] is JsonObject item && item["properties"] is not null) yield return ("[]", item);
    }

    private static string DefaultOf(string key, JsonObject schema, string description) =>
        schema["default"] is { } value ? $"`{(value is JsonValue text && text.TryGetValue<string>(out var written) ? written : value.ToJsonString())}`"
        : Default().Match(description) is { Success: true } match ? match.Groups[1].Value
        : Required().Match(description) is { Success: true } required ? $"required{required.Groups[1].Value}"
        : throw new InvalidOperationException($"{key} has no default. Write it in the description, as \"Default: none.\" or \"Required.\".");

    private static string ValueOf(JsonObject schema) =>
        schema["enum"] is JsonArray names ? string.Join(", ", names.Where(static name => name is not null).Select(static name => $"`{name}`"))
        : schema["items"] is JsonObject item ? $"list of {(item["enum"] is null ? "texts" : ValueOf(item))}"
        : schema["pattern"] is not null ? "duration"
        : schema["format"] is not null ? "time"
        : (schema["type"] as JsonArray)?[0] is { } type ? NameOf((string)type!)
        : schema["type"] is JsonValue only ? NameOf((string)only!)
        : "text";

    private static string NameOf(string type) => type switch
    {
        "string" => "text",
        "boolean" => "`true`, `false`",
        "integer" or "number" => "number",
        "array" => "list",
        _ => "section",
    };

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    [GeneratedRegex(@"\s*Default: (.+?)\.?(?=$|(?<=\.) [A-Z])")]
    private static partial Regex Default();

    [GeneratedRegex(@"\s*\bRequired\b([^.]*)\.")]
    private static partial Regex Required();

    [GeneratedRegex(" +")]
    private static partial Regex Space();
}
