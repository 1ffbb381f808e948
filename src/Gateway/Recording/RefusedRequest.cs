using System.Text.Json.Serialization;

namespace Gateway.Recording;

/// <summary>A request that the gateway refused or failed. Texts that are longer than the console shows are cut.</summary>
internal sealed record RefusedRequest(
    DateTimeOffset Time, string? Route, string Method, string Path, int Status, string Reason, string? Organization, string? Issuer, string? Subject,
    string RequestId)
{
    private const int MostMethod = 16;
    private const int MostText = 128;

    public string? Scheme { get; private init; }

    /// <summary>The origin of the service that was called; null if none was.</summary>
    public string? Upstream { get; private init; }

    public string? Client { get; private init; }

    public string? TraceId { get; private init; }

    /// <summary>Whether the path was longer than what is kept of it.</summary>
    [JsonIgnore]
    public bool IsPathCut => Path.Length > MostText;

    public static RefusedRequest Of(
        DateTimeOffset time, string? route, string method, ReadOnlySpan<char> path, int status, string reason, string? organization, string? issuer,
        string? subject, string requestId, string? scheme = null, string? upstream = null, string? client = null, string? traceId = null) => new(
            time, route, KeptText.Of(method, MostMethod), KeptText.Of(path, MostText), status, reason, organization,
            issuer is null ? null : KeptText.Of(issuer, MostText), subject is null ? null : KeptText.Of(subject, MostText), requestId)
        {
            Scheme = scheme,
            Upstream = upstream,
            Client = client,
            TraceId = traceId,
        };
}
