using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Sandbox;

namespace Testing;

/// <summary>
/// The signed URL of an MQTT connection over WebSocket, written by AWS's description: Signature Version 4 in the query, and the session token behind it.
/// Each part can be bent.
/// </summary>
public sealed record PresignedUrl(string Url, AwsCredentials Credentials)
{
    public string Region { get; init; } = "ap-northeast-1";

    public string Service { get; init; } = "iotdevicegateway";

    public DateTimeOffset At { get; init; } = DateTimeOffset.UtcNow;

    public string? Expires { get; init; }

    /// <summary>The signed host; null: the URL's.</summary>
    public string? Host { get; init; }

    public string SignedHeaders { get; init; } = "host";

    /// <summary>Whether the token is a part of what is signed, as services other than AWS IoT want it.</summary>
    public bool SignsToken { get; init; }

    public override string ToString()
    {
        var uri = new Uri(Url);
        var stamp = At.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{stamp[..8]}/{Region}/{Service}/aws4_request";
        SortedDictionary<string, string> query = new(StringComparer.Ordinal)
        {
            ["X-Amz-Algorithm"] = "AWS4-HMAC-SHA256",
            ["X-Amz-Credential"] = $"{Credentials.AccessKeyId}/{scope}",
            ["X-Amz-Date"] = stamp,
            ["X-Amz-SignedHeaders"] = SignedHeaders,
        };
        if (Expires is not null) query["X-Amz-Expires"] = Expires;
        if (SignsToken) query["X-Amz-Security-Token"] = Credentials.SessionToken!;
        var text = string.Join('&', query.Select(each => $"{each.Key}={Uri.EscapeDataString(each.Value)}"));
        var canonical = $"GET\n{uri.AbsolutePath}\n{text}\nhost:{Host ?? uri.Authority}\n\n{SignedHeaders}\n{Hash("")}";
        var key = Encoding.UTF8.GetBytes("AWS4" + Credentials.SecretAccessKey);
        foreach (var part in new[] { stamp[..8], Region, Service, "aws4_request", $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hash(canonical)}" })
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        var token = SignsToken || Credentials.SessionToken is null ? "" : $"&X-Amz-Security-Token={Uri.EscapeDataString(Credentials.SessionToken)}";
        return $"{Url}?{text}&X-Amz-Signature={Convert.ToHexStringLower(key)}{token}";
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
