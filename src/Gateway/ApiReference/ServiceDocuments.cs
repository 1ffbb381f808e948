using System.Collections.Concurrent;
using Gateway.Configuration.Schema;
using Gateway.Telemetry;
using IotCredentials.Failures;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.ApiReference;

/// <summary>Fetches the OpenAPI documents of services, with limits on time and size. A service that fails is left out, and logged once.</summary>
internal sealed partial class ServiceDocuments(TimeProvider time, ILogger<ServiceDocuments> logger)
{
    private const int MostBytes = 1024 * 1024;
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, bool> _failing = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _notAdded = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns a service's document; null if it cannot be had or used.</summary>
    /// <param name="cluster">The cluster whose service it is.</param>
    /// <param name="address">The document's address.</param>
    /// <param name="client">The client that requests to the cluster are forwarded with: its proxy and its trust in certificates. It follows no redirect.</param>
    public async Task<ServiceDocument?> ReadAsync(ClusterConfig cluster, Uri address, HttpMessageInvoker client)
    {
        try
        {
            var document = ServiceDocument.Read(cluster, address, await FetchAsync(address, client));
            if (_failing.TryRemove(cluster.ClusterId, out _)) Log.Read(logger, cluster.ClusterId, FailureText.Address(address));
            return document;
        }
        catch (Exception e)
        {
            var cause = e is UnusableDocumentException unusable ? unusable.Cause
                : e is HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } ? $"it is longer than {MostBytes / 1024} KiB"
                : e is OperationCanceledException ? $"no response within {s_timeout.TotalSeconds} s"
                : FailureText.Of(e, address);
            if (_failing.TryAdd(cluster.ClusterId, true)) Log.NotRead(logger, cluster.ClusterId, FailureText.Address(address), cause);
            return null;
        }
    }

    /// <summary>Records that the operations of a document were added.</summary>
    public void OnAdded(ClusterConfig cluster) => _notAdded.TryRemove(cluster.ClusterId, out _);

    /// <summary>Logs, once until they are added, that the operations of a document cannot be added, or not all of them.</summary>
    public void OnNotAdded(ClusterConfig cluster, Exception failure)
    {
        if (!_notAdded.TryAdd(cluster.ClusterId, true)) return;
        var address = FailureText.Address(new Uri(ClusterMetadata.Of(cluster.Metadata).OpenApi!));
        var cause = failure is UnusableDocumentException unusable ? unusable.Cause : $"its operations cannot be added ({FailureText.Kinds(failure)})";
        Log.NotRead(logger, cluster.ClusterId, address, cause);
    }

    private async Task<byte[]> FetchAsync(Uri address, HttpMessageInvoker client)
    {
        using var deadline = new CancellationTokenSource(s_timeout, time);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.UserAgent.ParseAdd("iot-gateway");
        request.Headers.Accept.ParseAdd("application/json");
        using var response = await client.SendAsync(request, deadline.Token);
        if (!response.IsSuccessStatusCode) throw new UnusableDocumentException($"its status is {(int)response.StatusCode}");
        await response.Content.LoadIntoBufferAsync(MostBytes, deadline.Token);
        return await response.Content.ReadAsByteArrayAsync(deadline.Token);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ServiceDocumentNotRead, LogLevel.Warning,
            "The API reference leaves out the paths of cluster {Cluster}: its OpenApi document at {Address} cannot be used: {Cause}",
            EventName = nameof(EventIds.ServiceDocumentNotRead))]
        public static partial void NotRead(ILogger logger, string cluster, string address, string cause);

        [LoggerMessage(EventIds.ServiceDocumentRead, LogLevel.Information,
            "The API reference has the paths of cluster {Cluster} again, from {Address}",
            EventName = nameof(EventIds.ServiceDocumentRead))]
        public static partial void Read(ILogger logger, string cluster, string address);
    }
}
