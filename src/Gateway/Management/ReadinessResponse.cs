using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Reloading;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Net.Http.Headers;

namespace Gateway.Management;

/// <summary>
/// Writes the response of <c>/health/ready</c>: the status in one word or, if the client accepts JSON, with each check's status and description.
/// </summary>
internal static class ReadinessResponse
{
    private const string Json = "application/json";

    // Operators read this in a terminal, and no browser treats it as HTML.
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        var response = context.Response;
        response.Headers.Append(HeaderNames.Vary, HeaderNames.Accept);
        if (AcceptsJson(context.Request)) return response.WriteAsJsonAsync(Describe(report), s_options, Json, context.RequestAborted);
        response.ContentType = "text/plain";
        return response.WriteAsync(report.Status.ToString(), context.RequestAborted);
    }

    private static bool AcceptsJson(HttpRequest request) =>
        request.GetTypedHeaders().Accept.Any(static type => type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);

    private static Readiness Describe(HealthReport report) => new(
        report.Status.ToString(),
        report.Entries.ToDictionary(
            static entry => entry.Key,
            // If a check throws, the framework uses the exception's text as its description, which may hold anything.
            static entry => new Check(
                entry.Value.Status.ToString(), entry.Value.Exception is null ? entry.Value.Description : "the check failed",
                entry.Value.Data.GetValueOrDefault(ReloadingExtensions.ConfigurationHash) as string)));

    private sealed record Readiness(string Status, IReadOnlyDictionary<string, Check> Checks);

    private sealed record Check(string Status, string? Description, string? Hash);
}
