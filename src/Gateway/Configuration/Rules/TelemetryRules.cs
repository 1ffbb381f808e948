using System.Globalization;
using System.Text.RegularExpressions;
using Gateway.Networking;

namespace Gateway.Configuration.Rules;

/// <summary>
/// Checks the <c>OTEL_*</c> variables that the gateway's telemetry is set up by. OpenTelemetry itself stops the start at some values without naming the
/// variable, and ignores all others that it cannot read, without a word: then no telemetry arrives.
/// </summary>
internal static partial class TelemetryRules
{
    private const string Exporter = "OTEL_EXPORTER_OTLP_";
    private const string Endpoint = "ENDPOINT";

    // The library adds this header itself, and a second one stops the start.
    private const string OwnHeader = "User-Agent";

    // Logs are not exported.
    private static readonly string[] s_signals = ["", "TRACES_", "METRICS_"];

    private static readonly string[] s_files = ["CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"];

    private static readonly string[] s_samplers =
        ["always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"];

    // The least value of each number. The library replaces one that it does not read by its default.
    private static readonly (string Name, int Least)[] s_numbers =
    [
        ("OTEL_METRIC_EXPORT_TIMEOUT", 0), ("OTEL_BSP_SCHEDULE_DELAY", 1), ("OTEL_BSP_EXPORT_TIMEOUT", 0), ("OTEL_BSP_MAX_QUEUE_SIZE", 1),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1), ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0), ("OTEL_ATTRIBUTE_COUNT_LIMIT", 0),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0), ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0), ("OTEL_SPAN_EVENT_COUNT_LIMIT", 0),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", 0), ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", 0), ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", 0),
    ];

    /// <summary>The exporter can be set up by its variables, and the library reads each of the others.</summary>
    public static void Check(RuleContext context)
    {
        // The variables of a process do not change.
        if (context.Snapshot.Input.IsReload) return;
        var disabled = ValueOf(context, "OTEL_SDK_DISABLED");
        var isDisabled = false;
        if (disabled is not null && !bool.TryParse(disabled, out isDisabled)) Ignored(context, "OTEL_SDK_DISABLED", "true or false");
        // Then the library reads none of the others.
        if (isDisabled) return;
        if (!Telemetry.Telemetry.HasExporter(context.Snapshot.Values)) return;
        foreach (var signal in s_signals) CheckSignal(context, Exporter + signal);
        foreach (var file in s_files) CheckFile(context, Exporter + file);
        CheckWord(context, $"{Exporter}METRICS_TEMPORALITY_PREFERENCE", "cumulative", "delta", "lowmemory");
        CheckWord(context, $"{Exporter}METRICS_DEFAULT_HISTOGRAM_AGGREGATION", "explicit_bucket_histogram", "base2_exponential_bucket_histogram");
        CheckWord(context, "OTEL_TRACES_SAMPLER", s_samplers);
        CheckRatio(context);
        foreach (var (name, least) in s_numbers)
            if (ValueOf(context, name) is { } text && !IsNumber(text, least)) Ignored(context, name, $"a whole number from {least}");
        // Zero stops the start.
        if (ValueOf(context, "OTEL_METRIC_EXPORT_INTERVAL") is { } interval && !IsNumber(interval, 1))
            context.Error("OTEL_METRIC_EXPORT_INTERVAL", "is not a number of milliseconds above 0. Write one, such as 60000.");
    }

    private static void CheckSignal(RuleContext context, string prefix)
    {
        if (ValueOf(context, prefix + Endpoint) is { } endpoint
            && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)))
            context.Error(prefix + Endpoint, $"is {Finding.Quote(endpoint)}, which is no http or https address. Write one, such as http://collector:4317.");
        if (ValueOf(context, $"{prefix}PROTOCOL") is { } protocol && protocol.Trim() is not ("grpc" or "http/protobuf"))
            context.Error($"{prefix}PROTOCOL", $"is {Finding.Quote(protocol)}, a protocol that the exporter lacks. Write grpc or http/protobuf.");
        if (ValueOf(context, $"{prefix}TIMEOUT") is { } timeout && !IsNumber(timeout, 1))
            context.Error($"{prefix}TIMEOUT", "is not a number of milliseconds above 0. Write one, such as 10000.");
        if (ValueOf(context, $"{prefix}COMPRESSION") is { } compression && compression.Trim().ToLowerInvariant() is not ("none" or "gzip"))
            context.Error($"{prefix}COMPRESSION", $"is {Finding.Quote(compression)}. Write gzip or none.");
        // No part of a header is shown: the values are keys of the collector.
        if (ValueOf(context, $"{prefix}HEADERS") is { } headers && ProblemOf(headers) is { } problem)
            context.Error($"{prefix}HEADERS", $"{problem}. Write NAME=VALUE, separated by \",\"; a value holds no comma, written or as %2C.");
    }

    // The library decodes the whole before it splits, and accepts a comma at the end.
    private static string? ProblemOf(string headers)
    {
        var pairs = Uri.UnescapeDataString(headers).Split(',');
        if (pairs[^1].Length == 0) pairs = pairs[..^1];
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { OwnHeader };
        for (var index = 0; index < pairs.Length; index++)
        {
            var header = $"header {index + 1}";
            if (pairs[index].Split('=', 2) is not [var name, var value]) return $"has no \"=\" in {header}";
            if (!HttpToken.Is(name.Trim())) return $"has a name in {header} that is no header's";
            if (!Value().IsMatch(value.Trim())) return $"has a value in {header} that no header can carry";
            if (!names.Add(name.Trim())) return $"has the name of {header} twice, or it is {OwnHeader}, which the exporter writes itself";
        }

        return null;
    }

    private static void CheckFile(RuleContext context, string name)
    {
        // The library opens it relative to the working directory.
        if (ValueOf(context, name) is { } path && FileContent.Read(path, out var problem) is null)
            context.Error(name, $"names the file {Finding.Quote(path)}, which {problem} Name a file in PEM.");
    }

    private static void CheckWord(RuleContext context, string name, params string[] words)
    {
        if (ValueOf(context, name) is { } text && !words.Contains(text, StringComparer.OrdinalIgnoreCase))
            Ignored(context, name, string.Join(" or ", words));
    }

    private static void CheckRatio(RuleContext context)
    {
        if (ValueOf(context, "OTEL_TRACES_SAMPLER")?.EndsWith("traceidratio", StringComparison.OrdinalIgnoreCase) != true) return;
        var text = ValueOf(context, "OTEL_TRACES_SAMPLER_ARG");
        var isNumber = double.TryParse(text, NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var ratio);
        if (!isNumber || ratio is not (>= 0 and <= 1))
            Ignored(context, "OTEL_TRACES_SAMPLER_ARG", "the ratio of traces to keep, from 0 to 1; without it all are kept");
    }

    private static bool IsNumber(string text, int least) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least;

    private static string? ValueOf(RuleContext context, string name) =>
        context.Snapshot.Values.GetValueOrDefault(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;

    private static void Ignored(RuleContext context, string name, string allowed)
    {
        var value = ValueOf(context, name);
        context.Warning(name, $"{(value is null ? "is not set" : $"is {Finding.Quote(value)}, which OpenTelemetry ignores")}. Write {allowed}.");
    }

    [GeneratedRegex(@"^[\t -~]*\z")]
    private static partial Regex Value();
}
