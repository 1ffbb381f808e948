using System.Net;
using BenchmarkDotNet.Attributes;
using Gateway.Logs;

namespace Pieces;

/// <summary>A request's line in the access log, as far as the request's thread makes it.</summary>
public class AccessLine : IDisposable
{
    private readonly LogOutput _output = new(static _ => { });
    private readonly LogQueue<AccessEntry> _log;

    public AccessLine() => _log = _output.Add<AccessEntry>(static _ => { });

    [Benchmark(Description = "access line")]
    public void AddEntry() =>
        _log.TryAdd(new AccessEntry
        {
            Time = DateTimeOffset.UnixEpoch,
            Method = "GET",
            Path = "/organizations/o-acme/iot-endpoint-and-credentials".AsMemory(),
            Route = "iot-endpoint-and-credentials",
            Status = 200,
            Reason = null,
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
        });

    [GlobalCleanup]
    public void Dispose()
    {
        _output.Dispose();
        GC.SuppressFinalize(this);
    }
}
