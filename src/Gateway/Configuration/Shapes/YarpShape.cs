using System.Reflection;
using System.Text.Json;

namespace Gateway.Configuration.Shapes;

/// <summary>Reads from YARP's own JSON schema what may be written in the section <c>ReverseProxy</c>.</summary>
internal static class YarpShape
{
    private const string Resource = "yarp.schema.json";

    private static readonly string[] s_healthMetadata = ["ConsecutiveFailuresHealthPolicy.Threshold", "TransportFailureRateHealthPolicy.RateLimit"];

    /// <summary>The section. A route's metadata are those that the gateway knows.</summary>
    public static ObjectShape Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!;
        using var schema = JsonDocument.Parse(stream);
        var section = (ObjectShape)Of(schema.RootElement.GetProperty("properties").GetProperty("ReverseProxy"), schema.RootElement);
        var route = (ObjectShape)((MapShape)section.Members["Routes"].Shape).Value;
        // YARP would hand on a null as a value.
        var metadata = new ObjectShape(
            OptionsShape.OfRecord(typeof(RouteMetadata)).Members.Values.Select(member => member with { NullIsValue = false }))
        {
            Otherwise = "Nothing here reads other metadata of a route: remove it, or move it to the Metadata of the cluster or of a destination, where any name may stand.",
        };
        var routes = new MapShape(With(With(route, new Member("Metadata", metadata)), new Member("Transforms", Transforms(schema.RootElement))));
        return With(With(section, new Member("Routes", routes)), new Member("Clusters", Clusters(section)));
    }

    // Beside what the gateway and YARP's health policies read, operators may keep metadata of their own.
    private static MapShape Clusters(ObjectShape section)
    {
        var known = OptionsShape.OfRecord(typeof(ClusterMetadata)).Members.Values.Select(member => member with { NullIsValue = false })
            .Concat(s_healthMetadata.Select(name => new Member(name, ScalarShape.Text)));
        var cluster = (ObjectShape)((MapShape)section.Members["Clusters"].Shape).Value;
        return new MapShape(With(cluster, new Member("Metadata", new OpenShape(known, ScalarShape.Text))));
    }

    // The schema lists one form for each transform, and one for those that a host adds: this one adds none.
    private static ListShape Transforms(JsonElement root)
    {
        var forms = root.GetProperty("properties").GetProperty("ReverseProxy").GetProperty("properties").GetProperty("Routes")
            .GetProperty("patternProperties").GetProperty(".").GetProperty("properties").GetProperty("Transforms")
            .GetProperty("items").GetProperty("anyOf").EnumerateArray()
            .Where(form => form.TryGetProperty("required", out _) || form.TryGetProperty("anyOf", out _))
            .Select(form => (ObjectShape)Of(form, root));
        return new ListShape(new ObjectShape(forms.SelectMany(form => form.Members.Values).DistinctBy(member => member.Name)));
    }

    private static ObjectShape With(ObjectShape shape, Member member) =>
        new(shape.Members.Values.Where(other => other.Name != member.Name).Append(member));

    private static Shape Of(JsonElement schema, JsonElement root)
    {
        schema = Resolve(schema, root);
        if (schema.TryGetProperty("patternProperties", out var patterns)) return new MapShape(Of(patterns.EnumerateObject().First().Value, root));
        if (schema.TryGetProperty("additionalProperties", out var additional) && additional.ValueKind == JsonValueKind.Object)
            return new MapShape(Of(additional, root));
        if (schema.TryGetProperty("items", out var items)) return new ListShape(Of(items, root));
        if (TypeOf(schema) is { } type) return OfType(type, schema, root);

        // Choices are a list of known names with any other name beside it, or of forms that custom code may add to.
        return schema.TryGetProperty("anyOf", out var choices)
            && choices.EnumerateArray().Any(choice => TypeOf(Resolve(choice, root)) == "object")
            ? new MapShape(ScalarShape.Text)
            : ScalarShape.Text;
    }

    private static Shape OfType(string type, JsonElement schema, JsonElement root) => type switch
    {
        "object" when schema.TryGetProperty("properties", out var properties) =>
            new ObjectShape(properties.EnumerateObject().Select(property => new Member(property.Name, Of(property.Value, root)))),
        "object" => new MapShape(ScalarShape.Text),
        "boolean" => ScalarShape.Boolean,
        "number" or "integer" => ScalarShape.Int64,
        _ when schema.TryGetProperty("enum", out var names) =>
            ScalarShape.Choice([.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]),
        _ when schema.TryGetProperty("pattern", out var pattern) && pattern.GetString()!.Contains(@"\d\d:\d\d:\d\d", StringComparison.Ordinal) =>
            ScalarShape.Duration,
        _ => ScalarShape.Text,
    };

    private static string? TypeOf(JsonElement schema) =>
        !schema.TryGetProperty("type", out var type) ? null
        : type.ValueKind == JsonValueKind.String ? type.GetString()
        : type.EnumerateArray().Select(name => name.GetString()).First(name => name != "null");

    private static JsonElement Resolve(JsonElement schema, JsonElement root)
    {
        while (schema.TryGetProperty("$ref", out var reference))
        {
            schema = root;
            foreach (var name in reference.GetString()!.TrimStart('#').Split('/', StringSplitOptions.RemoveEmptyEntries))
                schema = schema.GetProperty(name);
        }

        return schema;
    }
}
