using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Gateway.AccessLogs;

namespace Pieces;

/// <summary>A request's line in the access log, which is made behind the request.</summary>
public class AccessLine
{
    private readonly AccessEntry _entry = new()
    {
        Time = DateTimeOffset.UnixEpoch,
        Method = "GET",
        Path = "/organizations/o-acme/iot-endpoint-and-credentials",
        Route = "iot-endpoint-and-credentials",
        Status = 200,
        Duration = TimeSpan.FromMicroseconds(123),
        Bytes = 1024,
        Scheme = "Platform",
        Issuer = "https://id.example.com",
        Subject = "alice",
        Organization = "o-acme",
        Upstream = null,
        Client = IPAddress.Loopback,
        RequestId = "fedcba9876543210fedcba9876543210",
        TraceId = "0123456789abcdef0123456789abcdef",
    };

    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Utf8JsonWriter _json;

    public AccessLine() => _json = new Utf8JsonWriter(_line);

    [Benchmark(Description = "access line: made")]
    public string WriteLine()
    {
        _line.ResetWrittenCount();
        _json.Reset();
        _entry.Write(_json);
        _json.Flush();
        return Encoding.UTF8.GetString(_line.WrittenSpan);
    }
}
