using BenchmarkDotNet.Attributes;
using Gateway.Configuration;
using Gateway.Logs;
using Gateway.Recording;
using Gateway.Telemetry;
using IotCredentials.Caching;
using IotCredentials.Telemetry;
using IotCredentials.Vending;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;

namespace Pieces;

/// <summary>A vend's line in the audit log, as far as the request's thread makes it, through the framework's loggers.</summary>
public class AuditLine : IDisposable
{
    private static readonly CallerClaims s_caller = new("https://id.example.com", "alice", DateTimeOffset.UnixEpoch);

    private readonly ServiceProvider _services;
    private readonly AuditTrail _audit;
    private readonly Vended _vended = new(
        new CachedCredentials("o-acme", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, "ASIAEXAMPLE", "EXAMPLE", "EXAMPLE"), VendOutcome.L1);

    public AuditLine()
    {
        _services = new ServiceCollection()
            .AddMetrics()
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new GatewayOptions { AccessLog = new() { Enabled = false }, AuditLog = new() { Path = "/dev/null" } })
            .AddSingleton<IHostEnvironment>(new HostingEnvironment { ContentRootPath = AppContext.BaseDirectory })
            .AddSingleton(_ => StandardOutput.Open())
            .AddSingleton<GatewayMetrics>()
            .AddSingleton<LogOutputs>()
            .AddSingleton<TrafficRecorder>()
            .AddSingleton<VendRecorder>()
            .AddSingleton<DestinationRecorder>()
            .AddSingleton<ILoggerProvider, AuditLog>()
            .AddSingleton<ILoggerProvider, EventRecorder>()
            .AddLogging()
            .Configure<LoggerFilterOptions>(static filters => filters.Rules.Add(AuditLog.Filter))
            .BuildServiceProvider();
        _audit = new AuditTrail(_services.GetRequiredService<ILoggerFactory>());
    }

    [Benchmark(Description = "audit line")]
    public void WriteLine() => _audit.Vended(s_caller, "default", _vended, isDelivered: true, "fedcba9876543210fedcba9876543210");

    [GlobalCleanup]
    public void Dispose()
    {
        _services.Dispose();
        GC.SuppressFinalize(this);
    }
}
