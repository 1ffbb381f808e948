using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using IotCredentials.Caching;

namespace Pieces;

/// <summary>The body of a warm response from the parts that are kept, beside the same from text.</summary>
public class ResponseBody
{
    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _body = new(8192);
    private CachedCredentials _credentials = null!;
    private CachedIotDataEndpoint _endpoint = null!;
    private string _secretAccessKey = null!;
    private string _sessionToken = null!;

    [GlobalSetup]
    public async Task PrepareAsync()
    {
        await using var gateway = await WarmGateway.StartAsync();
        (_, _credentials, _endpoint) = await gateway.VendedAsync();
        (_secretAccessKey, _sessionToken) = (_credentials.SecretAccessKey, _credentials.SessionToken);
        WriteKept();
        var kept = _body.WrittenSpan.ToArray();
        WriteJson();
        if (!_body.WrittenSpan.SequenceEqual(kept)) throw new InvalidOperationException("the two bodies differ");
    }

    [Benchmark(Description = "body: kept")]
    public int WriteKept()
    {
        _body.ResetWrittenCount();
        _body.Write(_endpoint.Response);
        _body.Write(_credentials.Response);
        _body.Write(CredentialResponse.Closing);
        return _body.WrittenCount;
    }

    [Benchmark(Description = "body: by Utf8JsonWriter")]
    public int WriteJson()
    {
        _body.ResetWrittenCount();
        using var json = new Utf8JsonWriter(_body, s_json);
        json.WriteStartObject();
        json.WriteStartObject("data");
        json.WriteString("awsRegion", _endpoint.Region);
        json.WriteString("iotEndpoint", _endpoint.Address);
        json.WriteStartObject("credentials");
        json.WriteString("accessKeyId", _credentials.AccessKeyId);
        json.WriteString("secretAccessKey", _secretAccessKey);
        json.WriteString("sessionToken", _sessionToken);
        json.WriteString("expiration", _credentials.Expiration.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return _body.WrittenCount;
    }
}
