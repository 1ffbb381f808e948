using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Authorization;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;
using Yarp.ReverseProxy.Model;

namespace Gateway.ApiReference;

/// <summary>
/// Adds services' operations to the edge's document. Nothing of a service replaces what is there: a path that is taken stays as it is, and components and
/// operations get the cluster's name before their own.
/// </summary>
internal sealed partial class DocumentMerge(JsonObject document, ExposedPaths exposed)
{
    // Anyone may ask for the document. Each operation is tried on each route, with up to three requests to the router, which take about 25 µs.
    private const int MostTries = 250_000;

    private static readonly string[] s_methods = ["get", "put", "post", "delete", "options", "head", "patch"];

    // The edge decides who may use an operation and where it is. Callbacks and links name operations that the edge may not expose.
    private static readonly string[] s_removed = ["security", "servers", "callbacks"];

    private readonly JsonObject _paths = document["paths"]!.AsObject();
    private readonly JsonObject _components = document["components"]!.AsObject();
    private readonly HashSet<string> _prefixes = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _operationIds = new(StringComparer.Ordinal);

    // By the path without the names of its parameters: two paths that differ only in these are the same.
    private readonly Dictionary<string, string> _templates =
        document["paths"]!.AsObject().DistinctBy(static path => Unnamed(path.Key), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(static path => Unnamed(path.Key), static path => path.Key, StringComparer.OrdinalIgnoreCase);

    private int _tries;

    /// <summary>Adds the operations of a service that routes expose, and the components that these need.</summary>
    /// <exception cref="UnusableDocumentException">The service has too many operations for its routes.</exception>
    public async Task AddAsync(ServiceDocument service, IReadOnlyList<RouteEndpoint> routes)
    {
        var prefix = PrefixOf(service.Cluster.ClusterId);
        var destination = service.Cluster.Destinations?.Values.FirstOrDefault()?.Address is { } address ? new Uri(address).AbsolutePath.TrimEnd('/') : "";
        var operations = new List<(string ServicePath, string Method, JsonObject Operation, JsonArray? Shared)>();
        foreach (var (path, item) in service.Paths)
        {
            if (!path.StartsWith('/') || item is not JsonObject described) continue;
            if (!new PathString(service.BasePath + path).StartsWithSegments(destination, out var servicePath)) continue;
            foreach (var method in s_methods)
                if (described[method] is JsonObject operation) operations.Add((servicePath.Value!, method, operation, described["parameters"] as JsonArray));
        }

        if ((long)operations.Count * routes.Count > MostTries - _tries)
        {
            throw new UnusableDocumentException(
                $"it has {operations.Count} operations on {routes.Count} routes, and all services together may have {MostTries} of these pairs");
        }

        _tries += operations.Count * routes.Count;
        foreach (var endpoint in routes)
            foreach (var (servicePath, method, operation, shared) in operations)
            {
                var route = endpoint.Metadata.GetMetadata<RouteModel>()!.Config;
                if (await exposed.FindAsync(endpoint, route, method.ToUpperInvariant(), servicePath) is { } exposedPath)
                    Add(service, prefix, endpoint, exposedPath, method, operation, shared);
            }
    }

    private void Add(
        ServiceDocument service, string prefix, RouteEndpoint endpoint, string path, string method, JsonObject described, JsonArray? shared)
    {
        if (_templates.TryAdd(Unnamed(path), path)) _paths[path] = new JsonObject();
        // Another route has the same path under other names, or the operation itself.
        if (_paths[path] is not JsonObject item || item.ContainsKey(method)) return;
        var operation = described.DeepClone().AsObject();
        foreach (var name in s_removed) operation.Remove(name);
        if (shared is not null) operation["parameters"] = Parameters(operation["parameters"] as JsonArray ?? [], shared);
        if ((string?)operation["operationId"] is { } id && !_operationIds.Add($"{prefix}.{id}")) operation.Remove("operationId");
        else if (operation.ContainsKey("operationId")) operation["operationId"] = $"{prefix}.{operation["operationId"]}";
        if (operation["responses"] is not JsonObject responses) operation["responses"] = responses = [];
        foreach (var (_, response) in responses) (response as JsonObject)?.Remove("links");
        CopyComponents(service, prefix, operation);
        var isAnonymous = endpoint.Metadata.GetMetadata<AuthorizationPolicy>() == AuthorizationPolicies.Anyone;
        if (isAnonymous) operation["security"] = new JsonArray();
        var hasOrganization = endpoint.RoutePattern.GetParameter(RouteOrganization.Parameter) is not null;
        foreach (var error in GatewayResponse.OfForwardedRoutes)
        {
            var isPossible = error.Status switch
            {
                StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => !isAnonymous,
                StatusCodes.Status422UnprocessableEntity => hasOrganization,
                _ => true,
            };
            if (isPossible) responses.TryAdd($"{error.Status}", new JsonObject { ["$ref"] = $"#/components/responses/{error.Name}" });
        }

        item[method] = operation;
    }

    // Renames the references in an operation and in the components that it needs, and copies these. A queue, since a chain of components has no limit.
    private void CopyComponents(ServiceDocument service, string prefix, JsonObject operation)
    {
        var unfinished = new Queue<JsonNode?>([operation]);
        while (unfinished.TryDequeue(out var node))
        {
            if (node is JsonArray list)
            {
                foreach (var item in list) unfinished.Enqueue(item);
                continue;
            }

            if (node is not JsonObject members) continue;
            foreach (var (name, value) in members.ToList())
            {
                if (name == "$ref" && value is JsonValue text && text.TryGetValue<string>(out var reference))
                    members[name] = Copy(reference);
                else unfinished.Enqueue(value);
                // A schema's property can have this name too.
                if (name == "discriminator" && value is JsonObject discriminator) discriminator.Remove("mapping");
            }
        }

        string Copy(string reference)
        {
            var (kind, name) = ServiceDocument.Parse(reference);
            if (_components[kind] is not JsonObject copied) _components[kind] = copied = [];
            if (copied.TryAdd($"{prefix}.{name}", null))
            {
                var component = service.Find(reference)!.DeepClone().AsObject();
                if (kind == "responses") component.Remove("links");
                copied[$"{prefix}.{name}"] = component;
                unfinished.Enqueue(component);
            }

            return $"#/components/{kind}/{prefix}.{name}";
        }
    }

    // An operation's own parameters come before those of its path.
    private static JsonArray Parameters(JsonArray own, JsonArray shared) =>
        [.. own.Concat(shared).Select(static parameter => parameter!.DeepClone()).DistinctBy(static parameter =>
            parameter["$ref"] is { } reference ? $"{reference}" : $"{parameter["in"]} {parameter["name"]}")];

    // Names of components hold letters, digits and . - _ only. The edge's own have no dot, so that none begins like a service's.
    private string PrefixOf(string clusterId)
    {
        var prefix = NotInNames().Replace(clusterId, "_");
        var name = prefix;
        for (var next = 2; !_prefixes.Add(name); next++) name = $"{prefix}-{next}";
        return name;
    }

    private static string Unnamed(string path) => Parameter().Replace(path, "{}");

    [GeneratedRegex("[^A-Za-z0-9_-]")]
    private static partial Regex NotInNames();

    [GeneratedRegex(@"\{[^{}]*\}")]
    private static partial Regex Parameter();
}
