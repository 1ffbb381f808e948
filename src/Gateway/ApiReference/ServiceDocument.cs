using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Configuration;
using IotCredentials.Failures;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.ApiReference;

/// <summary>
/// A service's OpenAPI document, as version 3.1 has it. Each reference leads to a component of its own, and in the end to one that is no reference.
/// </summary>
internal sealed partial class ServiceDocument
{
    private const int MostOperations = 2000;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };
    private static readonly OpenApiReaderSettings s_reader = new() { LoadExternalRefs = false, RuleSet = ValidationRuleSet.GetEmptyRuleSet() };

    private ServiceDocument(ClusterConfig cluster, JsonObject document, string basePath)
    {
        (Cluster, BasePath) = (cluster, basePath);
        Paths = document["paths"] as JsonObject ?? [];
        Components = document["components"] as JsonObject ?? [];
    }

    public ClusterConfig Cluster { get; }

    /// <summary>The path of the document's server, which its paths are below. Without a slash at the end.</summary>
    public string BasePath { get; }

    public JsonObject Paths { get; }

    public JsonObject Components { get; }

    /// <summary>Reads a document of OpenAPI 3.</summary>
    /// <exception cref="UnusableDocumentException">It is none, or refers to something outside of it.</exception>
    public static ServiceDocument Read(ClusterConfig cluster, Uri address, ReadOnlyMemory<byte> content)
    {
        content = ByteOrderMark.Skip(content);
        JsonObject written;
        try
        {
            written = JsonNode.Parse(content.Span, documentOptions: s_strict) as JsonObject ?? throw new UnusableDocumentException("it is not a JSON object");
        }
        catch (JsonException)
        {
            throw new UnusableDocumentException("it is not JSON, has a member twice, or is nested deeper than 64 levels");
        }

        if ((written["openapi"] as JsonValue)?.TryGetValue<string>(out var version) != true || !version!.StartsWith("3.", StringComparison.Ordinal))
            throw new UnusableDocumentException("it is not an OpenAPI document of version 3");
        // Before the conversion, which turns a reference to a part of a component into one to a component.
        if (References(written).Any(static reference => !Component().IsMatch(reference)))
            throw new UnusableDocumentException("it has a $ref to something else than a component of its own");
        if (written["components"] is JsonObject components && HasEndlessReference(components))
            throw new UnusableDocumentException("it has a component that is a $ref to itself, or to one that leads back to it");

        SchemaNormalizer.Normalize(written);
        var document = Convert(written);
        var read = new ServiceDocument(cluster, document, BasePathOf(document, address));
        if (read.Paths.Sum(static path => (path.Value as JsonObject)?.Count ?? 0) > MostOperations)
            throw new UnusableDocumentException($"it has more than {MostOperations} operations");
        if (References(document).Any(reference => read.Find(reference) is null))
            throw new UnusableDocumentException("it has a $ref to a component that it does not have");
        return read;
    }

    /// <summary>Returns the kind and the name of the component that a reference leads to.</summary>
    public static (string Kind, string Name) Parse(string reference) => reference.Split('/') is [_, _, var kind, var name] ? (kind, name) : ("", "");

    /// <summary>Returns the component that a reference leads to; null if there is none.</summary>
    public JsonNode? Find(string reference) => Find(Components, reference);

    private static JsonNode? Find(JsonObject components, string reference)
    {
        var (kind, name) = Parse(reference);
        return (components[kind] as JsonObject)?[name];
    }

    // When a component's own $ref leads back to it. A schema that contains itself, such as among its properties, is no such component.
    private static bool HasEndlessReference(JsonObject components)
    {
        var ending = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in components.SelectMany(static kind =>
            (kind.Value as JsonObject ?? []).Select(component => $"#/components/{kind.Key}/{component.Key}")))
        {
            var chain = new HashSet<string>(StringComparer.Ordinal);
            for (var next = component; next is not null && !ending.Contains(next); next = ReferenceOf(Find(components, next)))
                if (!chain.Add(next)) return true;
            ending.UnionWith(chain);
        }

        return false;
    }

    private static string? ReferenceOf(JsonNode? component) =>
        component is JsonObject members && members["$ref"] is JsonValue value && value.TryGetValue<string>(out var reference) ? reference : null;

    /// <summary>The references in a node and below it.</summary>
    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonArray list => list.SelectMany(References),
        JsonObject members => members.SelectMany(static member => IsReference(member, out var reference) ? [reference] : References(member.Value)),
        _ => [],
    };

    private static bool IsReference(KeyValuePair<string, JsonNode?> member, out string reference)
    {
        reference = "";
        return member is { Key: "$ref", Value: JsonValue value } && value.TryGetValue(out reference!);
    }

    private static JsonObject Convert(JsonObject written)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(written.ToJsonString()));
        using var converted = new StringWriter();
        try
        {
            OpenApiDocument.Load(stream, OpenApiConstants.Json, s_reader).Document!.SerializeAsV31(new OpenApiJsonWriter(converted));
            return JsonNode.Parse(converted.ToString(), documentOptions: s_strict)!.AsObject();
        }
        catch (Exception e)
        {
            // The reader does not find every mistake. The writer then throws, or writes what is no JSON.
            throw new UnusableDocumentException($"it is not a valid OpenAPI document ({FailureText.Kinds(e)})");
        }
    }

    private static string BasePathOf(JsonObject document, Uri address) =>
        document["servers"] is JsonArray { Count: > 0 } servers && Uri.TryCreate(address, (string?)servers[0]?["url"], out var server)
            && server.Scheme is "https" or "http"
            ? server.AbsolutePath.TrimEnd('/')
            : "";

    [GeneratedRegex(@"\A#/components/[A-Za-z]+/[A-Za-z0-9._-]+\z")]
    private static partial Regex Component();
}

/// <summary>A service's document cannot be used. The cause is for operators and holds nothing of the document.</summary>
internal sealed class UnusableDocumentException(string cause) : Exception
{
    public string Cause => cause;
}
