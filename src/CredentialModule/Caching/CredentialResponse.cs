using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace IotCredentials.Caching;

/// <summary>The body of a response, in the parts that are cached: the endpoint's, the credentials', and the closing braces of both.</summary>
internal static class CredentialResponse
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static ReadOnlySpan<byte> Closing => "}}"u8;

    public static byte[] OpeningOf(string region, string iotEndpoint) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteStartObject("data");
        json.WriteString("awsRegion", region);
        json.WriteString("iotEndpoint", iotEndpoint);
        json.WritePropertyName("credentials");
    });

    public static byte[] CredentialsOf(string accessKeyId, string secretAccessKey, string sessionToken, DateTimeOffset expiration) => Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("accessKeyId", accessKeyId);
        json.WriteString("secretAccessKey", secretAccessKey);
        json.WriteString("sessionToken", sessionToken);
        json.WriteString("expiration", expiration.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteEndObject();
    });

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, s_json)) write(json);
        return bytes.WrittenSpan.ToArray();
    }
}
