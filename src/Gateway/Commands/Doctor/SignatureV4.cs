using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Amazon.Runtime;

namespace Gateway.Commands.Doctor;

/// <summary>
/// AWS's Signature Version 4 for the data endpoint of AWS IoT. The SDK's package for it signs no WebSockets, and the token stands behind the signature there,
/// unlike anywhere else.
/// </summary>
internal sealed class SignatureV4(ImmutableCredentials credentials, string region, DateTimeOffset at)
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    private readonly string _stamp = at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The signed address of a WebSocket. It is a secret.</summary>
    public string WebSocketUrl(Uri endpoint)
    {
        var scope = Scope("iotdevicegateway");
        var query = $"X-Amz-Algorithm={Algorithm}&X-Amz-Credential={Uri.EscapeDataString($"{credentials.AccessKey}/{scope}")}"
            + $"&X-Amz-Date={_stamp}&X-Amz-SignedHeaders=host";
        var signature = Sign(scope, $"GET\n/mqtt\n{query}\nhost:{endpoint.Authority}\n\nhost\n{Hash([])}");
        var scheme = endpoint.Scheme == Uri.UriSchemeHttps ? "wss" : "ws";
        return $"{scheme}://{endpoint.Authority}/mqtt?{query}&X-Amz-Signature={signature}&X-Amz-Security-Token={Uri.EscapeDataString(credentials.Token)}";
    }

    /// <summary>A signed request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="path">The path, escaped.</param>
    /// <param name="query">The query, escaped and sorted; empty if there is none.</param>
    /// <param name="body">The body.</param>
    public HttpRequestMessage Request(HttpMethod method, Uri endpoint, string path, string query, byte[] body)
    {
        const string signedHeaders = "host;x-amz-date;x-amz-security-token";
        var scope = Scope("iotdata");
        // The path is escaped once more.
        var canonicalPath = string.Join('/', path.Split('/').Select(Uri.EscapeDataString));
        var headers = $"host:{endpoint.Authority}\nx-amz-date:{_stamp}\nx-amz-security-token:{credentials.Token}\n";
        var signature = Sign(scope, $"{method}\n{canonicalPath}\n{query}\n{headers}\n{signedHeaders}\n{Hash(body)}");
        var target = $"{endpoint.Scheme}://{endpoint.Authority}{path}{(query.Length == 0 ? "" : $"?{query}")}";
        var request = new HttpRequestMessage(method, target);
        if (method == HttpMethod.Post) request.Content = new ByteArrayContent(body);
        request.Headers.TryAddWithoutValidation("x-amz-date", _stamp);
        request.Headers.TryAddWithoutValidation("x-amz-security-token", credentials.Token);
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"{Algorithm} Credential={credentials.AccessKey}/{scope}, SignedHeaders={signedHeaders}, Signature={signature}");
        return request;
    }

    private string Scope(string service) => $"{_stamp[..8]}/{region}/{service}/aws4_request";

    private string Sign(string scope, string canonicalRequest)
    {
        var key = Encoding.UTF8.GetBytes($"AWS4{credentials.SecretKey}");
        foreach (var part in scope.Split('/').Append($"{Algorithm}\n{_stamp}\n{scope}\n{Hash(Encoding.UTF8.GetBytes(canonicalRequest))}"))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        return Convert.ToHexStringLower(key);
    }

    private static string Hash(byte[] data) => Convert.ToHexStringLower(SHA256.HashData(data));
}
