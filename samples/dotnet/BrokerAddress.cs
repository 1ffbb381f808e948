using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace IotClient;

internal static class BrokerAddress
{
    /// <summary>The address of a WebSocket to the broker, with Signature Version 4 in its query: good for one connection within the next minutes.</summary>
    public static string Sign(Uri broker, EndpointAndCredentials data, DateTimeOffset now)
    {
        var stamp = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        string[] scope = [stamp[..8], data.AwsRegion, "iotdevicegateway", "aws4_request"];
        var scopeText = string.Join('/', scope);
        var query = "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            + $"&X-Amz-Credential={Uri.EscapeDataString($"{data.Credentials.AccessKeyId}/{scopeText}")}"
            + $"&X-Amz-Date={stamp}&X-Amz-SignedHeaders=host";
        var request = string.Join('\n', "GET", "/mqtt", query, $"host:{broker.Authority}\n", "host", Hash(""));
        var toSign = $"AWS4-HMAC-SHA256\n{stamp}\n{scopeText}\n{Hash(request)}";
        var signature = scope.Append(toSign).Aggregate(
            Encoding.UTF8.GetBytes($"AWS4{data.Credentials.SecretAccessKey}"), (key, text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        // AWS IoT takes the session token unsigned, after the signature. Signed, as other services want it, it would be refused.
        return $"{broker.Scheme}://{broker.Authority}/mqtt?{query}&X-Amz-Signature={Convert.ToHexStringLower(signature)}"
            + $"&X-Amz-Security-Token={Uri.EscapeDataString(data.Credentials.SessionToken)}";
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
