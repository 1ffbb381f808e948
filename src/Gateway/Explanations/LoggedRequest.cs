using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Networking;
using Gateway.Recording;

namespace Gateway.Explanations;

/// <summary>A request that the gateway has responded to, as a line of the access log says it, or as it was kept because it was refused.</summary>
internal sealed record LoggedRequest
{
    // A path is logged with up to 512 characters, and names of a token are in it. Each character may be escaped with six.
    private const int LongestLine = 32 * 1024;
    private const int LongestPath = 512;

    private static readonly string[] s_members =
    [
        "time", "method", "path", "route", "status", "reason", "duration", "bytes", "scheme", "issuer", "subject", "organization", "upstream", "client",
        "requestId", "traceId",
    ];

    public string? Time { get; init; }
    public required string Method { get; init; }
    public required string Path { get; init; }
    public string? Route { get; init; }
    public required int Status { get; init; }
    public string? Reason { get; init; }
    public string? Scheme { get; init; }
    public string? Issuer { get; init; }
    public string? Subject { get; init; }
    public string? Organization { get; init; }
    public string? Upstream { get; init; }
    public string? Client { get; init; }
    public string? RequestId { get; init; }
    public string? TraceId { get; init; }

    /// <summary>Whether the path was longer, so that only its beginning is known.</summary>
    public bool IsPathCut { get; init; }

    /// <summary>The client's address; null if it is not known.</summary>
    internal IPAddress? Address => IPAddress.TryParse(Client, out var address) ? address : null;

    public static LoggedRequest Of(RefusedRequest refused) => new()
    {
        Time = refused.Time.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture),
        Method = refused.Method,
        Path = refused.Path,
        Route = refused.Route,
        Status = refused.Status,
        Reason = refused.Reason,
        Scheme = refused.Scheme,
        Issuer = refused.Issuer,
        Subject = refused.Subject,
        Organization = refused.Organization,
        Upstream = refused.Upstream,
        Client = refused.Client,
        RequestId = refused.RequestId,
        TraceId = refused.TraceId,
        IsPathCut = refused.IsPathCut,
    };

    /// <summary>Reads a line of the access log. Returns null and the problem if it is none.</summary>
    public static LoggedRequest? Read(string text, out string problem)
    {
        var line = text.Trim();
        problem = "";
        if (line.Length == 0) return Refuse("there is no line", out problem);
        if (line.Length > LongestLine) return Refuse("it is longer than a line of the access log can be", out problem);
        if (line.Contains('\n', StringComparison.Ordinal)) return Refuse("there is more than one line: give the one to explain", out problem);
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 2, AllowDuplicateProperties = false });
            return Read(document.RootElement, out problem);
        }
        catch (InvalidOperationException)
        {
            // JSON can escape half of a surrogate pair, which is no text.
            return Refuse("it escapes half of a character, which the access log does not", out problem);
        }
        catch (JsonException)
        {
            return Refuse("it is no JSON object without doubled members: give one whole line, from { to }", out problem);
        }
    }

    private static LoggedRequest? Read(JsonElement root, out string problem)
    {
        problem = "";
        if (root.ValueKind != JsonValueKind.Object) return Refuse("it is no JSON object: give one whole line, from { to }", out problem);
        var values = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in root.EnumerateObject())
        {
            if (member.Name == "event") return Refuse("it is a line of the audit log: give that of the access log with the same requestId", out problem);
            if (!s_members.Contains(member.Name))
                return Refuse($"its member {Finding.Quote(member.Name)} is none of the access log's: {string.Join(", ", s_members)}", out problem);
            values[member.Name] = member.Value;
        }

        foreach (var (name, value) in values)
        {
            var isNumber = name is "status" or "duration" or "bytes";
            if (value.ValueKind != JsonValueKind.Null && value.ValueKind != (isNumber ? JsonValueKind.Number : JsonValueKind.String))
                return Refuse($"its member {name} is no {(isNumber ? "number" : "text")}", out problem);
            if (Text(name)?.Any(char.IsControl) == true) return Refuse($"its member {name} holds a control character", out problem);
        }

        if (Text("method") is not { } method || !HttpToken.Is(method)) return Refuse("it has no method", out problem);
        if (Text("path") is not { Length: <= LongestPath } path) return Refuse($"it has no path of up to {LongestPath} characters", out problem);
        if (!values.TryGetValue("status", out var number) || number.ValueKind != JsonValueKind.Number || !number.TryGetInt32(out var status)
            || status is < 100 or > 999)
            return Refuse("it has no status", out problem);
        return new()
        {
            Time = Text("time"),
            Method = method,
            Path = path,
            Route = Text("route"),
            Status = status,
            Reason = Text("reason"),
            Scheme = Text("scheme"),
            Issuer = Text("issuer"),
            Subject = Text("subject"),
            Organization = Text("organization"),
            Upstream = Text("upstream"),
            Client = Text("client"),
            RequestId = Text("requestId"),
            TraceId = Text("traceId"),
            IsPathCut = path.Length == LongestPath,
        };

        string? Text(string name) => values.TryGetValue(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    private static LoggedRequest? Refuse(string why, out string problem)
    {
        problem = $"This is no line of the access log: {why}.";
        return null;
    }
}
