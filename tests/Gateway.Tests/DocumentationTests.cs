using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Configuration;
using Testing;
using Xunit;

namespace Gateway.Tests;

/// <summary>What the documentation shows can be pasted: <c>jsonc</c> marks the gateway's configuration, <c>json</c> anything else in JSON.</summary>
public sealed partial class DocumentationTests
{
    private static readonly JsonDocumentOptions s_withComments = new() { CommentHandling = JsonCommentHandling.Skip };

    public static TheoryData<string, string> ConfigurationExamples => Blocks("jsonc");

    public static TheoryData<string, string> OtherExamples => Blocks("json");

    [Theory]
    [MemberData(nameof(ConfigurationExamples))]
    public void A_configuration_example_is_valid_over_what_ships(string place, string example)
    {
        using var shipped = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "appsettings", "appsettings.json")), s_withComments);
        using var folder = new GatewayFolder(System.Text.Json.Nodes.JsonObject.Create(shipped.RootElement)!);
        folder.Write("appsettings.Documented.json", example);
        folder.Write("sealing-keys", GatewayFolder.NewSealingKey());

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

    private static TheoryData<string, string> Blocks(string language)
    {
        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "IotCredentials.sln"))) root = root.Parent!;

        var blocks = new TheoryData<string, string>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root.FullName, "docs"), "*.md").Append(Path.Combine(root.FullName, "README.md")))
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
