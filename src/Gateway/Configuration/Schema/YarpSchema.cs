using System.Reflection;
using System.Text.Json;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Configuration.Schema;

/// <summary>Derives the schema of the section <c>ReverseProxy</c> from YARP's own JSON schema.</summary>
internal static class YarpSchema
{
    private const string Resource = "yarp.schema.json";

    private static readonly string[] s_healthMetadata = ["ConsecutiveFailuresHealthPolicy.Threshold", "TransportFailureRateHealthPolicy.RateLimit"];

    /// <summary>Returns the section's schema. A route's metadata is limited to the names that the gateway knows.</summary>
    public static ObjectSchema Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)!;
        using var schema = JsonDocument.Parse(stream);
        var section = (ObjectSchema)Of(schema.RootElement.GetProperty("properties").GetProperty("ReverseProxy"), schema.RootElement);
        var route = (ObjectSchema)((MapSchema)section.Members["Routes"].Schema).Value;
        // YARP would pass null on as a value.
        var metadata = new ObjectSchema(
            OptionsSchema.OfRecord(typeof(RouteMetadata)).Members.Values.Select(member => member with { NullIsValue = false }))
        {
            Otherwise = "Nothing here reads other metadata of a route: "
                + "remove it, or move it to the Metadata of the cluster or of a destination, where any name may stand.",
        };
        var routes = new MapSchema(With(With(route, new Member("Metadata", metadata)), new Member("Transforms", Transforms(schema.RootElement))));
        return With(With(section, new Member("Routes", routes)), new Member("Clusters", Clusters(section)));
    }

    // Besides the names that the gateway and YARP's health policies read, operators may add metadata of their own.
    private static MapSchema Clusters(ObjectSchema section)
    {
        var known = OptionsSchema.OfRecord(typeof(ClusterMetadata)).Members.Values.Select(member => member with { NullIsValue = false })
            .Concat(s_healthMetadata.Select(name => new Member(name, ScalarSchema.Text)));
        var cluster = (ObjectSchema)((MapSchema)section.Members["Clusters"].Schema).Value;
        var destination = (ObjectSchema)((MapSchema)cluster.Members["Destinations"].Schema).Value;
        var ofDestination = OptionsSchema.OfRecord(typeof(DestinationMetadata)).Members.Values.Select(member => member with { NullIsValue = false });
        var destinations = new MapSchema(With(destination, new Member("Metadata", new OpenSchema(ofDestination, ScalarSchema.Text))));
        return new MapSchema(
            With(With(cluster, new Member("Metadata", new OpenSchema(known, ScalarSchema.Text))), new Member("Destinations", destinations)));
    }

    // YARP's schema has a form for each transform, and one for transforms that a host adds. The gateway adds none.
    private static ListSchema Transforms(JsonElement root)
    {
        var forms = root.GetProperty("properties").GetProperty("ReverseProxy").GetProperty("properties").GetProperty("Routes")
            .GetProperty("patternProperties").GetProperty(".").GetProperty("properties").GetProperty("Transforms")
            .GetProperty("items").GetProperty("anyOf").EnumerateArray()
            .Where(form => form.TryGetProperty("required", out _) || form.TryGetProperty("anyOf", out _))
            .Select(form => (ObjectSchema)Of(form, root));
        return new ListSchema(new ObjectSchema(forms.SelectMany(form => form.Members.Values).DistinctBy(member => member.Name).Select(WithNone))
        {
            Otherwise = "A transform from your own code does not run here: write YARP's own, or change the message in the service.",
        }, EmptyList.None);
    }

    // YARP also knows None, which leaves the part out. Its schema does not name it.
    private static Member WithNone(Member member) =>
        member.Name is "ForFormat" or "ByFormat" ? member with { Schema = ScalarSchema.Enumeration(typeof(NodeFormat)) } : member;

    private static ObjectSchema With(ObjectSchema shape, Member member) =>
        new(shape.Members.Values.Where(other => other.Name != member.Name).Append(member));

    private static SchemaNode Of(JsonElement schema, JsonElement root)
    {
        schema = Resolve(schema, root);
        if (schema.TryGetProperty("patternProperties", out var patterns)) return new MapSchema(Of(patterns.EnumerateObject().First().Value, root));
        if (schema.TryGetProperty("additionalProperties", out var additional) && additional.ValueKind == JsonValueKind.Object)
            return new MapSchema(Of(additional, root));
        if (schema.TryGetProperty("items", out var items)) return new ListSchema(Of(items, root));
        if (TypeOf(schema) is { } type) return OfType(type, schema, root);

        // A choice is either a list of known names that also allows other names, or a list of forms that custom code may extend.
        return schema.TryGetProperty("anyOf", out var choices)
            && choices.EnumerateArray().Any(choice => TypeOf(Resolve(choice, root)) == "object")
            ? new MapSchema(ScalarSchema.Text)
            : ScalarSchema.Text;
    }

    private static SchemaNode OfType(string type, JsonElement schema, JsonElement root) => type switch
    {
        "object" when schema.TryGetProperty("properties", out var properties) =>
            new ObjectSchema(properties.EnumerateObject().Select(property => new Member(property.Name, Of(property.Value, root)))),
        "object" => new MapSchema(ScalarSchema.Text),
        "boolean" => ScalarSchema.Boolean,
        "number" or "integer" => ScalarSchema.Int64,
        _ when schema.TryGetProperty("enum", out var names) =>
            ScalarSchema.Choice([.. names.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]),
        _ when schema.TryGetProperty("pattern", out var pattern) && pattern.GetString()!.Contains(@"\d\d:\d\d:\d\d", StringComparison.Ordinal) =>
            ScalarSchema.Duration,
        _ => ScalarSchema.Text,
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
