using System.Net;
using BenchmarkDotNet.Attributes;
using Gateway.Telemetry;

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
        Issuer = "https://id.example.com",
        Subject = "alice",
        Organization = "o-acme",
        Upstream = null,
        Client = IPAddress.Loopback,
        TraceId = "0123456789abcdef0123456789abcdef",
    };

    [Benchmark(Description = "access line: made")]
    public string WriteLine() => _entry.ToJson();
}
