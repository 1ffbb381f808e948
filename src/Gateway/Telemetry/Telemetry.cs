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

    public static void AddTelemetry(this WebApplicationBuilder builder)
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
                .AddMeter(HostingMeter, "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.Diagnostics", "System.Net.NameResolution")
                .AddMeter(ModuleRoute.MeterName, GatewayMetrics.MeterName)
                .AddRuntimeInstrumentation()
                .AddView(static instrument => IsExported(instrument) ? null : MetricStreamConfiguration.Drop)
                .AddPrometheusExporter());
        if (HasExporter(builder.Configuration.AsEnumerable()))
        {
            telemetry.WithTracing(AddSpans).UseOtlpExporter();
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

    /// <summary>Whether an instrument is exported. <see cref="RequestDurations"/> exports the framework's own with a bounded status.</summary>
    public static bool IsExported(Instrument instrument) => instrument is not { Meter.Name: HostingMeter, Name: RequestDurations.OfServer };

    public static void AddSpans(TracerProviderBuilder tracing) => tracing
        .AddAspNetCoreInstrumentation()
        .AddHttpClientInstrumentation()
        .AddSource("Yarp.ReverseProxy")
        .AddProcessor(new QueryStrippingProcessor());
}
