using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Sandbox.Tests;

/// <summary>A request signed by hand, so that each part of the signature can be bent.</summary>
internal static class SignedRequest
{
    public static HttpRequestMessage Create(
        AwsEmulator aws,
        string service,
        HttpMethod method,
        string target,
        string body,
        AwsCredentials? credentials = null,
        string region = "ap-northeast-1",
        DateTimeOffset? at = null,
        string? payloadHash = null) =>
        Create(aws.Url, service, method, target, body, credentials ?? aws.BaseCredentials, region, at, payloadHash);

    public static HttpRequestMessage Create(
        string url,
        string service,
        HttpMethod method,
        string target,
        string body,
        AwsCredentials credentials,
        string region = "ap-northeast-1",
        DateTimeOffset? at = null,
        string? payloadHash = null)
    {
        var stamp = (at ?? DateTimeOffset.UtcNow).UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var date = stamp[..8];
        var uri = new Uri(url + target);
        SortedDictionary<string, string> headers = new(StringComparer.Ordinal) { ["host"] = uri.Authority, ["x-amz-date"] = stamp };
        if (payloadHash is not null) headers["x-amz-content-sha256"] = payloadHash;
        if (credentials.SessionToken is { } token) headers["x-amz-security-token"] = token;
        var names = string.Join(';', headers.Keys);
        var canonical = string.Join('\n',
            method.Method,
            // Signed as sent, encoded once more.
            string.Join('/', uri.AbsolutePath.Split('/').Select(Uri.EscapeDataString)),
            string.Join('&', uri.Query.TrimStart('?').Replace("iot:", "iot%3A", StringComparison.Ordinal).Split('&').Order(StringComparer.Ordinal)),
            string.Concat(headers.Select(header => $"{header.Key}:{header.Value}\n")),
            names,
            payloadHash ?? Hash(body));
        var scope = $"{date}/{region}/{service}/aws4_request";
        var key = Encoding.UTF8.GetBytes("AWS4" + credentials.SecretAccessKey);
        foreach (var part in new[] { date, region, service, "aws4_request", $"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{Hash(canonical)}" })
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));

        var request = new HttpRequestMessage(method, uri);
        if (method == HttpMethod.Post) request.Content = new StringContent(body, Encoding.UTF8, "application/x-www-form-urlencoded");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        request.Headers.TryAddWithoutValidation(
            "Authorization",
            $"AWS4-HMAC-SHA256 Credential={credentials.AccessKeyId}/{scope}, SignedHeaders={names}, Signature={Convert.ToHexStringLower(key)}");
        return request;

        static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
