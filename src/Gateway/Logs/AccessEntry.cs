using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Yarp.ReverseProxy.Model;

namespace Gateway.Logs;

/// <summary>A request and its response in the access log. It holds nothing of a query, a header or a body.</summary>
internal readonly ref struct AccessEntry
{
    private const int LongestAddress = 64;

    // A destination's address can hold a user and a password, and its path is not needed here.
    private static readonly ConditionalWeakTable<DestinationModel, string> s_origins = [];

    public required DateTimeOffset Time { get; init; }
    public required string Method { get; init; }
    public required ReadOnlySpan<char> Path { get; init; }
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

    /// <summary>Writes the members, whatever characters their values hold.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteString("method"u8, Method);
        json.WriteString("path"u8, Path);
        json.WriteString("route"u8, Route);
        json.WriteNumber("status"u8, Status);
        json.WriteString("reason"u8, Reason);
        json.WriteNumber("duration"u8, Math.Round(Duration.TotalSeconds, 6));
        if (Bytes is { } bytes) json.WriteNumber("bytes"u8, bytes);
        else json.WriteNull("bytes"u8);
        json.WriteString("scheme"u8, Scheme);
        json.WriteString("issuer"u8, Issuer);
        json.WriteString("subject"u8, Subject);
        json.WriteString("organization"u8, Organization);
        json.WriteString("upstream"u8, UpstreamOrigin);
        WriteClient(json);
        json.WriteString("requestId"u8, RequestId);
        json.WriteString("traceId"u8, TraceId);
    }

    private void WriteClient(Utf8JsonWriter json)
    {
        Span<byte> text = stackalloc byte[LongestAddress];
        if (Client is not null && Client.TryFormat(text, out var length)) json.WriteString("client"u8, text[..length]);
        else json.WriteNull("client"u8);
    }

    private static string Origin(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{uri.Host}:{uri.Port}/") : "";
}
