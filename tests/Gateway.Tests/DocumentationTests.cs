using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.ApiReference;
using Gateway.Configuration.Loading;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>
/// What the documentation shows can be pasted: <c>jsonc</c> marks the gateway's configuration, <c>json</c> anything else in JSON.
/// </summary>
public sealed partial class DocumentationTests
{
    public const string IdentityProviders = "identity-providers.md";

    private static readonly JsonDocumentOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip };

    public static TheoryData<string, string> ConfigurationExamples => Blocks("jsonc");

    public static TheoryData<string, string> OtherExamples => Blocks("json");

    [Theory]
    [MemberData(nameof(ConfigurationExamples))]
    public void A_configuration_example_is_valid_over_what_ships(string place, string example)
    {
        var shipped = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings", "appsettings.json"));
        using var folder = new GatewayFolder(JsonNode.Parse(shipped, documentOptions: s_withComments)!.AsObject());
        folder.Write("appsettings.Documented.json", example);
        folder.Write("sealing-keys", GatewayFolder.NewSealingKey());
        folder.Write("introspection-secret", "a secret");

        var read = ConfigurationFolder.Load(["--config", folder.Path], "Documented", new Dictionary<string, string?>());

        Assert.True(read.Snapshot is not null, $"{place}:\n{string.Join('\n', read.Findings)}");
    }

    [Theory]
    [MemberData(nameof(OtherExamples))]
    public void Another_example_is_JSON(string place, string example)
    {
        var failure = Record.Exception(() => JsonDocument.Parse(example).Dispose());

        Assert.True(failure is null, $"{place}: {failure?.Message}");
    }

    [Fact]
    public void Clients_are_told_what_to_do_about_every_error_response()
    {
        var document = File.ReadAllText(Path.Combine(Repository.Root, "docs", "clients.md"));

        foreach (var response in GatewayResponse.OfCredentialRoutes)
            Assert.Contains($"| {response.Status} | `{response.Name}` |", document, StringComparison.Ordinal);
    }

    // An operation in the API reference has a route and a method that it allows, and no client sees 499.
    [Fact]
    public void The_API_reference_has_the_status_of_every_reason()
    {
        var statuses = DocumentTable.Rows("access-log.md", "### Reasons").SelectMany(static row => row[1].Split(", "))
            .Where(static status => status is not ("404" or "405" or "499" or "any"));

        Assert.Equal(statuses.Distinct().Order(), GatewayResponse.OfForwardedRoutes.Select(static response => $"{response.Status}").Order());
    }

    private static TheoryData<string, string> Blocks(string language)
    {
        var blocks = new TheoryData<string, string>();
        string[] files = [Path.Combine(Repository.Root, "README.md"), .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md")];
        foreach (var file in files)
        {
            var text = File.ReadAllText(file);
            foreach (var block in Fence().Matches(text).Where(block => block.Groups["language"].Value == language))
                blocks.Add($"{Path.GetFileName(file)}, line {text.AsSpan(0, block.Index).Count('\n') + 1}", block.Groups["content"].Value);
        }

        return blocks;
    }

    [GeneratedRegex("^```(?<language>[a-z]+)\n(?<content>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
