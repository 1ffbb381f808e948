using System.Diagnostics.Tracing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The variables of OpenTelemetry. Each value is tried with the library, too: the rule rejects what it refuses or ignores, and nothing else.</summary>
public sealed class TelemetryRuleTests : IDisposable
{
    private const string Exporter = "OTEL_EXPORTER_OTLP_";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    /// <summary>Errors: no telemetry would arrive.</summary>
    public static TheoryData<string, string, Library> Wrong => new()
    {
        { Exporter + "ENDPOINT", "collector", Library.Ignores },
        { Exporter + "ENDPOINT", "collector.example.com/v1", Library.Ignores },
        { Exporter + "ENDPOINT", "localhost:4317", Library.FailsLater },
        { Exporter + "ENDPOINT", "grpc://localhost:4317", Library.FailsLater },
        { Exporter + "TRACES_ENDPOINT", "//collector", Library.FailsLater },
        { Exporter + "METRICS_ENDPOINT", "http://", Library.Ignores },
        { Exporter + "PROTOCOL", "http/json", Library.Ignores },
        { Exporter + "PROTOCOL", "GRPC", Library.Ignores },
        { Exporter + "TRACES_PROTOCOL", "http", Library.Ignores },
        { Exporter + "TIMEOUT", "10s", Library.Ignores },
        { Exporter + "TIMEOUT", "-1", Library.Ignores },
        { Exporter + "TIMEOUT", "0", Library.Refuses },
        { Exporter + "METRICS_TIMEOUT", "1.5", Library.Ignores },
        { Exporter + "COMPRESSION", "zstd", Library.Ignores },
        { Exporter + "HEADERS", "s3cretvalue", Library.Refuses },
        { Exporter + "HEADERS", "api-key: s3cretvalue", Library.Refuses },
        { Exporter + "HEADERS", "api-key=s3cretvalue,,x=y", Library.Refuses },
        { Exporter + "HEADERS", "api-key=s3cretvalue%2Cmore", Library.Refuses },
        { Exporter + "HEADERS", "api-key=s3cretvalue,api-key=s3cretvalue", Library.Refuses },
        { Exporter + "HEADERS", "User-Agent=s3cretvalue", Library.Refuses },
        { Exporter + "HEADERS", "api key=s3cretvalue", Library.FailsLater },
        { Exporter + "HEADERS", "=s3cretvalue", Library.FailsLater },
        { Exporter + "TRACES_HEADERS", "api-key=s3cretvalue%0Ab", Library.FailsLater },
        { Exporter + "METRICS_HEADERS", "s3cretvalue", Library.Refuses },
        { Exporter + "CERTIFICATE", "/nowhere/ca.pem", Library.Refuses },
        { Exporter + "CLIENT_KEY", "/", Library.FailsLater },
        { "OTEL_METRIC_EXPORT_INTERVAL", "0", Library.Refuses },
        { "OTEL_METRIC_EXPORT_INTERVAL", "1m", Library.Ignores },
    };

    /// <summary>Warnings: telemetry arrives, in another form than was asked for.</summary>
    public static TheoryData<string, string> Ignored => new()
    {
        { "OTEL_TRACES_SAMPLER", "xray" },
        { "OTEL_TRACES_SAMPLER", "parentbased_jaeger_remote" },
        { "OTEL_BSP_SCHEDULE_DELAY", "5s" },
        { "OTEL_BSP_MAX_QUEUE_SIZE", "-5" },
        { "OTEL_METRIC_EXPORT_TIMEOUT", "1e3" },
        { "OTEL_ATTRIBUTE_COUNT_LIMIT", "many" },
        { "OTEL_SPAN_LINK_COUNT_LIMIT", " 12" },
        { "OTEL_SDK_DISABLED", "1" },
    };

    public static TheoryData<string, string> Good => new()
    {
        { Exporter + "ENDPOINT", "https://collector.example.com/base" },
        { Exporter + "TRACES_ENDPOINT", "http://127.0.0.1:4317" },
        { Exporter + "PROTOCOL", "http/protobuf" },
        { Exporter + "PROTOCOL", " grpc " },
        { Exporter + "TIMEOUT", "1" },
        { Exporter + "COMPRESSION", "GZip" },
        { Exporter + "HEADERS", "api-key=a%20b,x-tenant = c==," },
        { Exporter + "HEADERS", "" },
        { Exporter + "ENDPOINT", " " },
        { Exporter + "METRICS_TEMPORALITY_PREFERENCE", "Delta" },
        { Exporter + "METRICS_TEMPORALITY_PREFERENCE", "LowMemory" },
        { "OTEL_TRACES_SAMPLER", "Always_Off" },
        { "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "100000" },
        { "OTEL_METRIC_EXPORT_TIMEOUT", "0" },
        { "OTEL_SDK_DISABLED", "True" },
        { "OTEL_SERVICE_NAME", "anything: at all" },
    };

    public enum Library
    {
        /// <summary>It throws, and the gateway would not start.</summary>
        Refuses,

        /// <summary>It goes on with its default.</summary>
        Ignores,

        /// <summary>It takes the value, and no export succeeds.</summary>
        FailsLater,
    }

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_value_that_lets_no_telemetry_arrive_is_an_error(string name, string value, Library library)
    {
        Set(name, value);

        var finding = _configuration.LoadBad();

        Assert.Equal((name, $"environment variable {name}"), (finding.Key, finding.Source));
        Assert.DoesNotContain("s3cretvalue", finding.ToString(), StringComparison.Ordinal);
        Assert.Equal(library, Tried());
    }

    [Theory]
    [MemberData(nameof(Ignored))]
    public void A_value_that_the_library_ignores_is_a_warning(string name, string value)
    {
        Set(name, value);

        var read = _configuration.Load();

        Assert.NotNull(read.Snapshot);
        var finding = Assert.Single(read.Findings);
        Assert.Equal((name, $"environment variable {name}"), (finding.Key, finding.Source));
        Assert.Equal(Library.Ignores, Tried());
    }

    [Theory]
    [MemberData(nameof(Good))]
    public void A_value_that_the_library_reads_is_no_finding(string name, string value)
    {
        Set(name, value);

        _configuration.LoadGood();
        Assert.Null(Tried());
    }

    [Theory]
    [InlineData("traceidratio", null)]
    [InlineData("parentbased_traceidratio", "50%")]
    [InlineData("traceidratio", "1.1")]
    public void A_ratio_is_needed_and_readable(string sampler, string? ratio)
    {
        Set("OTEL_TRACES_SAMPLER", sampler);
        if (ratio is not null) Set("OTEL_TRACES_SAMPLER_ARG", ratio);

        Assert.Equal("OTEL_TRACES_SAMPLER_ARG", Assert.Single(_configuration.Load().Findings).Key);
        Assert.Equal(Library.Ignores, Tried());
    }

    [Fact]
    public void Of_a_library_that_is_switched_off_nothing_is_read()
    {
        Set(Exporter + "CERTIFICATE", "/nowhere/ca.pem");
        Set("OTEL_SDK_DISABLED", "true");

        _configuration.LoadGood();
    }

    [Fact]
    public void Without_a_collector_the_variables_of_the_exporter_are_not_read()
    {
        _configuration.Variables[Exporter + "HEADERS"] = "broken";
        _configuration.Variables[Exporter + "ENDPOINT"] = "";

        _configuration.LoadGood();
    }

    private void Set(string name, string value)
    {
        _configuration.Variables[Exporter + "LOGS_ENDPOINT"] = "http://127.0.0.1:1";
        _configuration.Variables[name] = value;
    }

    // What the library makes of the variables; null if it reads them all.
    private Library? Tried()
    {
        using var events = new InvalidValues();
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(_configuration.Variables).Build());
        services.AddOpenTelemetry().WithTracing().WithMetrics().UseOtlpExporter();
        using var provider = services.BuildServiceProvider();
        try
        {
            provider.GetService<TracerProvider>();
            provider.GetService<MeterProvider>();
        }
        catch (Exception)
        {
            return Library.Refuses;
        }

        if (events.IsTold) return Library.Ignores;
        return _configuration.Load().Snapshot is null ? Library.FailsLater : null;
    }

    private sealed class InvalidValues : EventListener
    {
        private volatile bool _isTold;

        public bool IsTold => _isTold;

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name.StartsWith("OpenTelemetry", StringComparison.Ordinal)) EnableEvents(eventSource, EventLevel.Informational);
        }

        // Such as InvalidConfigurationValue and TracesSamplerConfigInvalid.
        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            if (eventData.EventName?.Contains("Invalid", StringComparison.Ordinal) == true) _isTold = true;
        }
    }
}
