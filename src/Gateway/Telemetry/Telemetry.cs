using System.Diagnostics.Metrics;
using IotCredentials.Http;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Telemetry;

/// <summary>
/// Sets up OpenTelemetry: metrics for Prometheus on the management listener, and metrics and traces by OTLP if the standard <c>OTEL_*</c> variables are set.
/// </summary>
internal static class Telemetry
{
    private const string HostingMeter = "Microsoft.AspNetCore.Hosting";

    // OpenTelemetry's room for the time series of a metric.
    private const int DefaultRoom = 2000;

    // The runtime's metrics have few series, at most one for each kind of exception. Room takes memory whether it is used or not.
    private const int RoomOfRuntime = 200;

    /// <param name="builder">The host.</param>
    /// <param name="routes">How many routes there are at the start.</param>
    public static void AddTelemetry(this WebApplicationBuilder builder, int routes)
    {
        // OpenTelemetry's default propagator would forward a client's baggage in spite of the process's own propagator.
        Sdk.SetDefaultTextMapPropagator(new OpenTelemetry.Context.Propagation.TraceContextPropagator());
        builder.Services.AddSingleton<GatewayMetrics>();
        builder.Services.AddHostedService<RequestDurations>();
        builder.Services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>, SensitiveLogFilter>();
        var telemetry = builder.Services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource
                .AddService("iot-gateway", serviceVersion: ProductVersion.Text, autoGenerateServiceInstanceId: true)
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics => metrics
                .AddMeter(HostingMeter, "Microsoft.AspNetCore.Server.Kestrel", "System.Net.NameResolution")
                .AddMeter(ModuleRoute.MeterName, GatewayMetrics.MeterName)
                .AddRuntimeInstrumentation()
                .AddView(instrument => ViewOf(instrument, routes))
                .AddPrometheusExporter());
        if (HasExporter(builder.Configuration.AsEnumerable()))
        {
            telemetry.WithTracing(AddSpans).UseOtlpExporter();
            builder.Services.AddSingleton<CollectorExports>();
            builder.Services.AddHostedService(static services => services.GetRequiredService<CollectorExports>());
        }
        else
        {
            builder.Services.AddSingleton<TraceContextForwarding>();
            builder.Services.AddSingleton<ITransformProvider>(services => services.GetRequiredService<TraceContextForwarding>());
            builder.Services.AddHostedService(services => services.GetRequiredService<TraceContextForwarding>());
        }
    }

    /// <summary>Whether a variable names a collector. An empty variable counts as not set, as everywhere in OpenTelemetry.</summary>
    public static bool HasExporter(IEnumerable<KeyValuePair<string, string?>> settings) => settings.Any(static setting =>
        setting.Key.StartsWith("OTEL_EXPORTER_OTLP", StringComparison.OrdinalIgnoreCase)
        && setting.Key.EndsWith("ENDPOINT", StringComparison.OrdinalIgnoreCase)
        && !string.IsNullOrWhiteSpace(setting.Value));

    /// <summary>
    /// How an instrument is exported; null for OpenTelemetry's defaults. <see cref="RequestDurations"/> exports the framework's own with a bounded status.
    /// </summary>
    public static MetricStreamConfiguration? ViewOf(Instrument instrument, int routes) =>
        instrument is { Meter.Name: HostingMeter, Name: RequestDurations.OfServer } ? MetricStreamConfiguration.Drop
        : instrument.Meter.Name == "System.Runtime" ? new() { CardinalityLimit = RoomOfRuntime }
        : routes * SeriesPerRoute(instrument) is > DefaultRoom and var room ? new() { CardinalityLimit = room }
        : null;

    // An estimate: callers of a route choose among few methods, and get few statuses.
    private static int SeriesPerRoute(Instrument instrument) => instrument.Meter.Name != GatewayMetrics.MeterName ? 0 : instrument.Name switch
    {
        RequestDurations.OfServer => 20,
        GatewayMetrics.RouteRefusals => 10,
        GatewayMetrics.RouteRequests => 4,
        _ => 0,
    };

    public static void AddSpans(TracerProviderBuilder tracing) => tracing
        .AddAspNetCoreInstrumentation()
        .AddHttpClientInstrumentation()
        .AddSource("Yarp.ReverseProxy")
        .AddProcessor(new QueryStrippingProcessor());
}
