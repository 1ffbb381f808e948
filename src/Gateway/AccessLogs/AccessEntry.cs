using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Telemetry;

namespace Gateway.AccessLogs;

/// <summary>A request and its response in the access log. It holds nothing of a query, a header or a body.</summary>
internal sealed record AccessEntry
{
    public required DateTimeOffset Time { get; init; }
    public required string Method { get; init; }
    public required string Path { get; init; }
    public required string? Route { get; init; }
    public required int Status { get; init; }
    public required TimeSpan Duration { get; init; }
    public required long? Bytes { get; init; }
    public required string? Scheme { get; init; }
    public required string? Issuer { get; init; }
    public required string? Subject { get; init; }
    public required string? Organization { get; init; }
    public required string? Upstream { get; init; }
    public required IPAddress? Client { get; init; }
    public required string RequestId { get; init; }
    public required string? TraceId { get; init; }

    /// <summary>Writes one line of JSON, whatever characters the values hold.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("time", UtcTime.Milliseconds(Time));
        json.WriteString("method", Method);
        json.WriteString("path", Path);
        json.WriteString("route", Route);
        json.WriteNumber("status", Status);
        json.WriteNumber("duration", Math.Round(Duration.TotalSeconds, 6));
        if (Bytes is { } bytes) json.WriteNumber("bytes", bytes);
        else json.WriteNull("bytes");
        json.WriteString("scheme", Scheme);
        json.WriteString("issuer", Issuer);
        json.WriteString("subject", Subject);
        json.WriteString("organization", Organization);
        json.WriteString("upstream", Origin(Upstream));
        json.WriteString("client", Client is { IsIPv4MappedToIPv6: true } ? Client.MapToIPv4().ToString() : Client?.ToString());
        json.WriteString("requestId", RequestId);
        json.WriteString("traceId", TraceId);
        json.WriteEndObject();
    }

    // A destination's address can hold a user and a password, and its path is not needed here.
    private static string? Origin(string? address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) ? $"{uri.Scheme}://{uri.Host}:{uri.Port.ToString(CultureInfo.InvariantCulture)}/" : null;
}
