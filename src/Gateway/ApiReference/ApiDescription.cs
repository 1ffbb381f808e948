using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Routes;
using IotCredentials.Http;
using Microsoft.AspNetCore.Hosting.Server;
using Yarp.ReverseProxy.Model;

namespace Gateway.ApiReference;

/// <summary>
/// The OpenAPI document of the edge: the credential routes, and what services document of the routes that expose them. It is made on request, at most once a
/// minute and after a change of the configuration, so that it costs the data path nothing.
/// </summary>
internal sealed class ApiDescription(
    SnapshotRoutes routes, EndpointDataSource mapped, ServiceDocuments documents, IServer server, IServiceProvider services, TimeProvider time)
{
    private const int MostFetches = 8;

    // Developers read this, and no browser treats it as HTML.
    // Services' documents are at most 64 levels deep, and parts of them get deeper here.
    private static readonly JsonSerializerOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 128 };
    private static readonly TimeSpan s_keptFor = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private (RouteTable Table, IReadOnlyList<Endpoint> Endpoints, Task<byte[]> Document)? _last;
    private long _madeAt;

    /// <summary>Returns the document as UTF-8. All who ask while it is made wait for the same one.</summary>
    public Task<byte[]> GetAsync()
    {
        // YARP applies a new table a moment later.
        var (table, applied) = (routes.Current, mapped.Endpoints);
        lock (_lock)
        {
            // Making it can take longer than it is kept. While it is being made, do not start another.
            if (_last is var (of, at, document) && of == table && at == applied
                && (!document.IsCompleted || time.GetElapsedTime(_madeAt) < s_keptFor)) return document;
            document = Task.Run(() => MakeAsync(table, applied));
            _last = (table, applied, document);
            return document;
        }
    }

    private async Task<byte[]> MakeAsync(RouteTable table, IReadOnlyList<Endpoint> applied)
    {
        try
        {
            return await WriteAsync(table, applied);
        }
        finally
        {
            lock (_lock) _madeAt = time.GetTimestamp();
        }
    }

    private async Task<byte[]> WriteAsync(RouteTable table, IReadOnlyList<Endpoint> applied)
    {
        var endpoints = applied.OfType<RouteEndpoint>().Where(static endpoint => endpoint.Metadata.GetMetadata<RouteModel>() is not null).ToList();
        var document = await EdgeDocument.MakeAsync(
            table.Snapshot, server, endpoints.Where(static endpoint => ModuleRoute.IsCredentials(RouteOf(endpoint).Config)));

        var documented = await ReadAsync(table.Snapshot, endpoints);
        if (documented.Count > 0) await AddAsync(document, endpoints, documented);
        return JsonSerializer.SerializeToUtf8Bytes(document, s_json);
    }

    private async Task AddAsync(
        JsonObject document, IReadOnlyList<RouteEndpoint> endpoints, IReadOnlyList<(ServiceDocument Service, IReadOnlyList<RouteEndpoint> Exposing)> documented)
    {
        await using var routing = Router.Services(services);
        var merge = new DocumentMerge(document, new ExposedPaths(new Router(routing, endpoints)));
        foreach (var (service, exposing) in documented)
        {
            try
            {
                await merge.AddAsync(service, exposing);
                documents.OnAdded(service.Cluster);
            }
            catch (Exception e)
            {
                documents.OnNotAdded(service.Cluster, e);
            }
        }
    }

    // In the order of the clusters' names, so that the same configuration has the same document.
    private async Task<IReadOnlyList<(ServiceDocument Service, IReadOnlyList<RouteEndpoint> Exposing)>> ReadAsync(
        Snapshot snapshot, IReadOnlyList<RouteEndpoint> endpoints)
    {
        var clusterOf = snapshot.Routes.ToDictionary(static route => route.RouteId, static route => route.ClusterId, StringComparer.OrdinalIgnoreCase);
        // By the cluster that the route was written with: YARP has it under another id after a change.
        var exposing = endpoints.Where(static endpoint => RouteOf(endpoint).Cluster is not null)
            .ToLookup(endpoint => clusterOf.GetValueOrDefault(RouteOf(endpoint).Config.RouteId), StringComparer.OrdinalIgnoreCase);
        var documented = snapshot.Clusters
            .Select(cluster => (Cluster: cluster, ClusterMetadata.Of(cluster.Metadata).OpenApi, Exposing: exposing[cluster.ClusterId].ToList()))
            .Where(static each => each is { OpenApi: not null, Exposing.Count: > 0 })
            .OrderBy(static each => each.Cluster.ClusterId, StringComparer.Ordinal)
            .ToList();
        var read = new ServiceDocument?[documented.Count];
        await Parallel.ForAsync(0, documented.Count, new ParallelOptions { MaxDegreeOfParallelism = MostFetches }, async (index, cancellation) =>
        {
            var (cluster, address, routes) = documented[index];
            read[index] = await documents.ReadAsync(cluster, new Uri(address!), RouteOf(routes[0]).Cluster!.Model.HttpClient);
        });
        return
        [
            .. documented.Zip(read).Where(static each => each.Second is not null)
                .Select(static each => (each.Second!, (IReadOnlyList<RouteEndpoint>)each.First.Exposing)),
        ];
    }

    private static RouteModel RouteOf(RouteEndpoint endpoint) => endpoint.Metadata.GetMetadata<RouteModel>()!;
}
