using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Configuration.Schema;

namespace Gateway.Tests.Configuration;

/// <summary>
/// Writes the JSON schema by which editors complete and check the configuration: of one file, so that nothing but its keys' names and forms is asked.
/// </summary>
internal static class ConfigurationSchema
{
    private const string Duration = @"^-?(\d+\.)?\d\d:\d\d:\d\d(\.\d{1,7})?$";
    private static readonly JsonSerializerOptions s_readable =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly XmlDescriptions s_descriptions = new(typeof(GatewayOptions).Assembly, typeof(IotCredentialsOptions).Assembly);

    public static string Write()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "The gateway's configuration: appsettings.json, and appsettings.{Environment}.json over it",
        };
        foreach (var (name, value) in OfRecord(typeof(GatewayOptions))) schema[name] = value?.DeepClone();
        var sections = schema["properties"]!.AsObject();
        sections["ReverseProxy"] = ReverseProxy();
        sections["Logging"] = FrameworkSections.Logging();
        sections["Kestrel"] = FrameworkSections.Kestrel();
        sections["$schema"] = new JsonObject { ["type"] = "string", ["description"] = "Where an editor finds this schema." };
        return schema.ToJsonString(s_readable) + "\n";
    }

    private static JsonObject OfRecord(Type type)
    {
        var (properties, defaults) = (new JsonObject(), Activator.CreateInstance(type));
        foreach (var property in OptionsSchema.PropertiesOf(type))
        {
            var (schema, description) = (Of(property.PropertyType), s_descriptions.Of(property));
            schema.Insert(0, "description", description);
            if (!description.Contains("Required", StringComparison.Ordinal)) AddDefault(schema, property.GetValue(defaults));
            properties[property.Name] = schema;
        }

        return new JsonObject { ["type"] = OrNull("object"), ["properties"] = properties, ["additionalProperties"] = false };
    }

    /// <summary>Returns the schema of a value of this type.</summary>
    public static JsonObject Of(Type type)
    {
        var scalar = Nullable.GetUnderlyingType(type) ?? type;
        if (scalar.IsEnum) return OneOf(Enum.GetNames(scalar));
        if (scalar == typeof(DateTimeOffset)) return new JsonObject { ["type"] = OrNull("string"), ["format"] = "date-time" };
        if (scalar == typeof(TimeSpan)) return new JsonObject { ["type"] = OrNull("string"), ["pattern"] = Duration };
        if (OptionsSchema.ScalarOf(type) is not null)
            return new JsonObject { ["type"] = OrNull(scalar == typeof(string) ? "string" : scalar == typeof(bool) ? "boolean" : "integer") };
        if (OptionsSchema.ItemOf(type) is { } item)
            return new JsonObject { ["type"] = OrNull("array"), ["items"] = WithoutNull(Of(item)) };
        return OptionsSchema.ValueOf(type) is { } value
            ? new JsonObject { ["type"] = OrNull("object"), ["additionalProperties"] = Of(value) }
            : OfRecord(type);
    }

    /// <summary>Adds a default to a key's schema. A value that is null or empty has its meaning in the description.</summary>
    public static void AddDefault(JsonObject schema, object? value)
    {
        JsonNode? written = value switch
        {
            string { Length: > 0 } or bool or int or long or double => JsonSerializer.SerializeToNode(value),
            TimeSpan or Enum => value.ToString(),
            IReadOnlyList<string> { Count: > 0 } texts => JsonSerializer.SerializeToNode(texts),
            _ => null,
        };
        if (written is not null) schema["default"] = written;
    }

    private static JsonObject ReverseProxy()
    {
        using var stream = typeof(GatewayOptions).Assembly.GetManifestResourceStream("yarp.schema.json")!;
        var section = JsonNode.Parse(stream)!["properties"]!["ReverseProxy"]!.DeepClone().AsObject();
        var route = section["properties"]!["Routes"]!["patternProperties"]!["."]!["properties"]!;
        var transforms = route["Transforms"]!["items"]!["anyOf"]!.AsArray();
        transforms.Remove(transforms.Single(form => form!["$comment"] is not null));
        OpenToLayers(section);

        var metadata = OfRecord(typeof(RouteMetadata));
        foreach (var (_, value) in metadata["properties"]!.AsObject())
            if (value!["type"]![0]!.GetValue<string>() != "string") value["type"]!.AsArray().Insert(1, "string");
        metadata.Insert(0, "description", "What the gateway knows of the route.");
        route["Metadata"] = metadata;
        var cluster = section["properties"]!["Clusters"]!["patternProperties"]!["."]!["properties"]!;
        cluster["Metadata"]!["properties"] = OfRecord(typeof(ClusterMetadata))["properties"]!.DeepClone();
        var destination = cluster["Destinations"]!["patternProperties"]!["."]!["properties"]!;
        var ofDestination = OfRecord(typeof(DestinationMetadata))["properties"]!.DeepClone();
        ofDestination["Weight"]!["type"]!.AsArray().Insert(1, "string");
        destination["Metadata"]!["properties"] = ofDestination;
        YarpDefaults.AddTo(section);
        return section;
    }

    // A file may say a part only, or by null that an earlier one's word does not hold. A list's items are whole.
    private static void OpenToLayers(JsonObject schema)
    {
        schema.Remove("required");
        if (schema["anyOf"] is JsonArray choices && choices.All(choice => choice!["type"] is null)) schema.Remove("anyOf");
        if (schema["type"] is JsonValue type) schema["type"] = OrNull(type.GetValue<string>());
        if (schema["enum"] is JsonArray names && !names.Contains(null)) names.Add(null);
        if (schema["properties"] is not null) schema["additionalProperties"] = false;
        foreach (var (key, value) in schema)
        {
            if (key is "properties" or "patternProperties")
                foreach (var (_, member) in value!.AsObject()) OpenToLayers(member!.AsObject());
            else if (key is "anyOf")
                foreach (var choice in value!.AsArray()) OpenToLayers(choice!.AsObject());
            else if (key is "items") AllowTexts(value!);
        }
    }

    // YARP's own examples write a transform's true as "true".
    private static void AllowTexts(JsonNode node)
    {
        if (node is JsonArray list)
            foreach (var item in list.OfType<JsonNode>()) AllowTexts(item);
        if (node is not JsonObject schema) return;
        if (schema["type"] is JsonValue type && type.GetValueKind() == JsonValueKind.String && type.GetValue<string>() == "boolean")
            schema["type"] = new JsonArray("boolean", "string");
        foreach (var (_, value) in schema.ToArray())
            if (value is not null) AllowTexts(value);
    }

    /// <summary>Returns the schema of a choice of names.</summary>
    public static JsonObject OneOf(IEnumerable<string> names) => new() { ["enum"] = new JsonArray([.. names.Select(name => JsonValue.Create(name)), null]) };

    private static JsonObject WithoutNull(JsonObject schema)
    {
        if (schema["type"] is JsonArray types) schema["type"] = types[0]!.DeepClone();
        return schema;
    }

    /// <summary>Returns the type of a value that null removes.</summary>
    public static JsonArray OrNull(string type) => new(type, "null");
}
