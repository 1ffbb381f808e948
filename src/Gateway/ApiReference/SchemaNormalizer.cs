using System.Text.Json.Nodes;

namespace Gateway.ApiReference;

/// <summary>
/// Brings the schemas of a service's document into the form that the reader of OpenAPI takes, which knows no schema that is <c>true</c> or <c>false</c>, and
/// removes what refers to something outside of the document by another name than <c>$ref</c>.
/// </summary>
internal static class SchemaNormalizer
{
    private static readonly string[] s_removed = ["$id", "$schema", "$anchor", "$dynamicRef", "$dynamicAnchor"];
    private static readonly string[] s_schemas =
        ["not", "items", "contains", "propertyNames", "if", "then", "else", "unevaluatedItems", "contentSchema"];

    // The reader takes a Boolean here.
    private static readonly string[] s_schemasOrBooleans = ["additionalProperties", "unevaluatedProperties"];
    private static readonly string[] s_lists = ["allOf", "anyOf", "oneOf", "prefixItems"];
    private static readonly string[] s_maps = ["properties", "patternProperties", "dependentSchemas", "$defs"];

    public static void Normalize(JsonObject document)
    {
        if ((document["components"] as JsonObject)?["schemas"] is JsonObject schemas) NormalizeMembers(schemas, schemas.Select(static schema => schema.Key));
        Visit(document);
    }

    // Examples and extensions are not OpenAPI's: a member of theirs may be called "schema".
    private static void Visit(JsonNode? node)
    {
        if (node is JsonArray list)
            foreach (var item in list) Visit(item);
        if (node is not JsonObject members) return;
        NormalizeMembers(members, ["schema"]);
        foreach (var (name, value) in members)
        {
            if (name == "examples") RemoveExternalValues(value);
            else if (name is not ("schema" or "schemas" or "example") && !name.StartsWith("x-", StringComparison.Ordinal)) Visit(value);
        }
    }

    private static void RemoveExternalValues(JsonNode? examples)
    {
        foreach (var (_, example) in examples as JsonObject ?? []) (example as JsonObject)?.Remove("externalValue");
    }

    // Only a schema's keywords are visited: a property can have the name of one.
    private static void Normalize(JsonNode? node)
    {
        if (node is not JsonObject schema) return;
        foreach (var name in s_removed) schema.Remove(name);
        NormalizeMembers(schema, s_schemas);
        foreach (var name in s_schemasOrBooleans) Normalize(schema[name]);
        foreach (var name in s_maps)
            if (schema[name] is JsonObject map) NormalizeMembers(map, map.Select(static member => member.Key));
        foreach (var name in s_lists)
        {
            if (schema[name] is not JsonArray list) continue;
            for (var i = 0; i < list.Count; i++)
            {
                if (OfBoolean(list[i]) is { } written) list[i] = written;
                else Normalize(list[i]);
            }
        }
    }

    private static void NormalizeMembers(JsonObject members, IEnumerable<string> names)
    {
        foreach (var name in names.ToList())
        {
            if (OfBoolean(members[name]) is { } written) members[name] = written;
            else Normalize(members[name]);
        }
    }

    private static JsonObject? OfBoolean(JsonNode? schema) => schema is JsonValue value && value.TryGetValue<bool>(out var isAnything)
        ? isAnything ? [] : new JsonObject { ["not"] = new JsonObject() }
        : null;
}
