using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.Tests;

/// <summary>The configuration that ships.</summary>
internal static class ShippedSettings
{
    private static readonly JsonDocumentOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip };

    public static JsonObject Read() =>
        JsonNode.Parse(
            File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings", "appsettings.json")), documentOptions: s_withComments)!.AsObject();
}
