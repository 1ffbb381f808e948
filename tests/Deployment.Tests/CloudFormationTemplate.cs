using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace Deployment.Tests;

/// <summary>A template of CloudFormation, with the functions resolved that this repository's template uses.</summary>
internal sealed partial class CloudFormationTemplate
{
    private readonly YamlMappingNode _root;
    private readonly Dictionary<string, string> _values;

    public CloudFormationTemplate(string yaml, IReadOnlyDictionary<string, string> parameters)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        _root = (YamlMappingNode)stream.Documents.Single().RootNode;
        _values = new()
        {
            ["AWS::Partition"] = "aws",
            ["AWS::AccountId"] = "111122223333",
            ["AWS::Region"] = "eu-central-1",
        };
        foreach (var (name, definition) in Section("Parameters"))
            _values[name] = parameters.TryGetValue(name, out var value) ? value : ((YamlScalarNode)definition["Default"]).Value!;
        Assert.Empty(parameters.Keys.Except(_values.Keys));
    }

    /// <summary>The properties of a resource. A text in place of a document is read as JSON, as CloudFormation does.</summary>
    public JsonObject Properties(string resource) => Resolve(Section("Resources").Single(entry => entry.Name == resource).Node["Properties"])!.AsObject();

    private IEnumerable<(string Name, YamlNode Node)> Section(string name) =>
        ((YamlMappingNode)_root[name]).Children.Select(static child => (((YamlScalarNode)child.Key).Value!, child.Value));

    private JsonNode? Resolve(YamlNode node)
    {
        var function = node.Tag.IsEmpty ? "" : node.Tag.Value;
        return (function, node) switch
        {
            ("!Ref", YamlScalarNode name) => _values[name.Value!],
            ("!Sub", YamlScalarNode text) => Placeholder().Replace(text.Value!, match => _values[match.Groups[1].Value]),
            ("!GetAtt", YamlScalarNode attribute) => Arn(attribute.Value!),
            ("!If", YamlSequenceNode choice) => Resolve(Condition(((YamlScalarNode)choice[0]).Value!) ? choice[1] : choice[2]),
            ("!Equals", YamlSequenceNode pair) => Resolve(pair[0])!.ToString() == Resolve(pair[1])!.ToString(),
            ("" or "tag:yaml.org,2002:str", YamlScalarNode text) => text.Value,
            ("", YamlSequenceNode items) => new JsonArray([.. items.Select(Resolve)]),
            ("", YamlMappingNode members) => Resolve(members),
            _ => throw new NotSupportedException($"The function {function} is not known."),
        };
    }

    private JsonObject Resolve(YamlMappingNode members)
    {
        var resolved = new JsonObject();
        foreach (var (key, value) in members.Children)
        {
            var (name, node) = (((YamlScalarNode)key).Value!, Resolve(value));
            resolved[name] = name.EndsWith("PolicyDocument", StringComparison.Ordinal) && node is JsonValue ? JsonNode.Parse((string)node!) : node;
        }

        return resolved;
    }

    private bool Condition(string name) => (bool)Resolve(Section("Conditions").Single(entry => entry.Name == name).Node)!;

    private string Arn(string attribute)
    {
        var resource = attribute.Split('.') is [var name, "Arn"] ? name : throw new NotSupportedException($"The attribute {attribute} is not known.");
        return $"arn:aws:iam::111122223333:role/{(string)Properties(resource)["RoleName"]!}";
    }

    [GeneratedRegex(@"\$\{([A-Za-z0-9:]+)\}")]
    private static partial Regex Placeholder();
}
