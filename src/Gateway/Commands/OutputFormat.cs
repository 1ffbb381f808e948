using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Configuration.Loading;

namespace Gateway.Commands;

/// <summary><c>--format</c>: text for a person, or one JSON document.</summary>
internal static class OutputFormat
{
    private const string Text = "text";
    private const string Json = "json";

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Option<string> Option()
    {
        var option = new Option<string>("--format") { Description = "The format of the output.", DefaultValueFactory = static _ => Text };
        option.AcceptOnlyFromAmong(Text, Json);
        return option;
    }

    public static bool IsJson(this ParseResult parsed, Option<string> format) => parsed.GetValue(format) == Json;

    public static void WriteJson(this TextWriter output, object document) => output.WriteLine(JsonSerializer.Serialize(document, s_json));
}

/// <summary>A finding as JSON. The key is absent when the finding concerns a whole file.</summary>
internal sealed record FindingRow(string Severity, string? Key, string Source, string Message)
{
    public static IReadOnlyList<FindingRow> Of(LoadResult read) =>
    [
        .. read.Findings.Select(static finding => new FindingRow(
            finding.Severity == IotCredentials.Severity.Error ? "error" : "warning",
            finding.Key.Length > 0 ? finding.Key : null,
            finding.Source,
            finding.Message)),
    ];
}
