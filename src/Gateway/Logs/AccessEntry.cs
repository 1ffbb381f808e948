using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Yarp.ReverseProxy.Model;

namespace Gateway.Logs;

/// <summary>A request and its response in the access log. It holds nothing of a query, a header or a body.</summary>
internal readonly record struct AccessEntry : ILogEntry
{
    private const int LongestAddress = 64;

    // The entry itself, its ids and its address.
    private const int FixedSize = 512;

    // A destination's address can hold a user and a password, and its path is not needed here.
    private static readonly ConditionalWeakTable<DestinationModel, string> s_origins = [];

    public required DateTimeOffset Time { get; init; }
    public required string Method { get; init; }
    public required ReadOnlyMemory<char> Path { get; init; }
    public required string? Route { get; init; }
    public required int Status { get; init; }
    public required string? Reason { get; init; }
    public required TimeSpan Duration { get; init; }
    public required long? Bytes { get; init; }
    public required string? Scheme { get; init; }
    public required string? Issuer { get; init; }
    public required string? Subject { get; init; }
    public required string? Organization { get; init; }
    public required DestinationModel? Upstream { get; init; }
    public required IPAddress? Client { get; init; }
    public required string RequestId { get; init; }
    public required string? TraceId { get; init; }

    /// <summary>Scheme, host and port of the service that was called.</summary>
    public string? UpstreamOrigin =>
        Upstream is null ? null : s_origins.GetValue(Upstream, static destination => Origin(destination.Config.Address));

    public int Size => FixedSize + (sizeof(char) * (Path.Length + (Issuer?.Length ?? 0) + (Subject?.Length ?? 0) + (Organization?.Length ?? 0)));

    public void Write(LogLine line)
    {
        var json = line.BeginJson(Time);
        json.WriteString(Name.Method, Method);
        json.WriteString(Name.Path, Path.Span);
        json.WriteString(Name.Route, Route);
        json.WriteNumber(Name.Status, Status);
        json.WriteString(Name.Reason, Reason);
        json.WriteNumber(Name.Duration, Math.Round(Duration.TotalSeconds, 6));
        if (Bytes is { } bytes) json.WriteNumber(Name.Bytes, bytes);
        else json.WriteNull(Name.Bytes);
        json.WriteString(Name.Scheme, Scheme);
        json.WriteString(Name.Issuer, Issuer);
        json.WriteString(Name.Subject, Subject);
        json.WriteString(Name.Organization, Organization);
        json.WriteString(Name.Upstream, UpstreamOrigin);
        WriteClient(json);
        json.WriteString(Name.RequestId, RequestId);
        json.WriteString(Name.TraceId, TraceId);
        line.EndJson();
    }

    private void WriteClient(Utf8JsonWriter json)
    {
        Span<byte> text = stackalloc byte[LongestAddress];
        if (Client is not null && Client.TryFormat(text, out var length)) json.WriteString(Name.Client, text[..length]);
        else json.WriteNull(Name.Client);
    }

    private static string Origin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{uri.Host}:{uri.Port}/") : "";

    // Encoded once: the writer looks through any other name for characters to escape.
    private static class Name
    {
        public static readonly JsonEncodedText Method = JsonEncodedText.Encode("method");
        public static readonly JsonEncodedText Path = JsonEncodedText.Encode("path");
        public static readonly JsonEncodedText Route = JsonEncodedText.Encode("route");
        public static readonly JsonEncodedText Status = JsonEncodedText.Encode("status");
        public static readonly JsonEncodedText Reason = JsonEncodedText.Encode("reason");
        public static readonly JsonEncodedText Duration = JsonEncodedText.Encode("duration");
        public static readonly JsonEncodedText Bytes = JsonEncodedText.Encode("bytes");
        public static readonly JsonEncodedText Scheme = JsonEncodedText.Encode("scheme");
        public static readonly JsonEncodedText Issuer = JsonEncodedText.Encode("issuer");
        public static readonly JsonEncodedText Subject = JsonEncodedText.Encode("subject");
        public static readonly JsonEncodedText Organization = JsonEncodedText.Encode("organization");
        public static readonly JsonEncodedText Upstream = JsonEncodedText.Encode("upstream");
        public static readonly JsonEncodedText RequestId = JsonEncodedText.Encode("requestId");
        public static readonly JsonEncodedText TraceId = JsonEncodedText.Encode("traceId");
        public static readonly JsonEncodedText Client = JsonEncodedText.Encode("client");
    }
}
