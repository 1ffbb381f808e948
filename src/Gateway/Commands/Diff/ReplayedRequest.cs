using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Telemetry;
using IotCredentials.Http;

namespace Gateway.Commands.Diff;

/// <summary>A request as a line of the access log tells of it. It has no query, no header, and nothing of the token but whose it is.</summary>
internal sealed partial record ReplayedRequest
{
    /// <summary>The longest path that the access log holds: longer ones are cut.</summary>
    public const int LongestPath = 512;

    // Longer than any name that the gateway logs. Names that are read are kept, so their length is bounded.
    private const int LongestName = 1024;
    private const int LongestMethod = 32;

    private ReplayedRequest() { }

    public string Method { get; private set; } = "";
    public string Path { get; private set; } = "";

    /// <summary>Whether the path may be longer than the log tells.</summary>
    public bool IsPathCut => Path.Length == LongestPath;

    /// <summary>The path to look for a route with. A cut may split an escape, or the bytes of a character, which alone would be no path.</summary>
    public string RoutedPath => IsPathCut ? CutEscapes.Replace(Path, "x") : Path;

    public string? Route { get; private set; }
    public int Status { get; private set; }
    public string? Reason { get; private set; }
    public string? Scheme { get; private set; }
    public string? Issuer { get; private set; }
    public string? Subject { get; private set; }
    public IPAddress? Client { get; private set; }

    /// <summary>Whether the caller met the policy of the route: what came after may still have refused it.</summary>
    public bool IsAuthorized =>
        Reason is null or GatewayReason.ClientAddress or GatewayReason.BodyTooLarge or GatewayReason.HeadersTooLarge or ErrorReason.OrganizationUnknown
            or ErrorReason.CallerClaims
        || Reason.StartsWith(GatewayReason.LimitPrefix, StringComparison.Ordinal)
        || Reason.StartsWith(GatewayReason.UpstreamPrefix, StringComparison.Ordinal)
        || Reason.StartsWith(ErrorReason.VendPrefix, StringComparison.Ordinal);

    /// <summary>Whether the line says that the gateway let the request in, whatever became of it.</summary>
    public bool IsLetIn => IsAuthorized && Reason is not (GatewayReason.ClientAddress or GatewayReason.BodyTooLarge)
        && Reason?.StartsWith(GatewayReason.LimitPrefix, StringComparison.Ordinal) != true;

    /// <summary>Reads a line. Returns null if it is no line of an access log.</summary>
    public static ReplayedRequest? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return null;
            var request = new ReplayedRequest();
            var members = 0;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("method"u8)) (request.Method, members) = (Next(ref json) ?? "", members | 1);
                else if (json.ValueTextEquals("path"u8)) (request.Path, members) = (Next(ref json) ?? "", members | 2);
                else if (json.ValueTextEquals("route"u8)) request.Route = Next(ref json);
                else if (json.ValueTextEquals("reason"u8)) request.Reason = Next(ref json);
                else if (json.ValueTextEquals("scheme"u8)) request.Scheme = Next(ref json);
                else if (json.ValueTextEquals("issuer"u8)) request.Issuer = Next(ref json);
                else if (json.ValueTextEquals("subject"u8)) request.Subject = Next(ref json);
                else if (json.ValueTextEquals("client"u8)) request.Client = IPAddress.TryParse(Next(ref json), out var client) ? client : null;
                else if (json.ValueTextEquals("status"u8) && json.Read() && json.TokenType == JsonTokenType.Number)
                    (request.Status, members) = (json.GetInt32(), members | 4);
                else json.Skip();
            }

            return members == 7 && json.TokenType == JsonTokenType.EndObject && request.IsBounded ? request : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // Text of another kind, a number that is none, or characters that are no UTF-8.
            return null;
        }
    }

    [GeneratedRegex("(%[0-9A-Fa-f]{0,2})+$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex CutEscapes { get; }

    private bool IsBounded => Method.Length is > 0 and <= LongestMethod && Path.Length is > 0 and <= LongestPath
        && Array.TrueForAll([Route, Reason, Scheme, Issuer, Subject], static name => name is not { Length: > LongestName });

    private static string? Next(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType is JsonTokenType.String) return json.GetString();
        json.Skip();
        return null;
    }
}
