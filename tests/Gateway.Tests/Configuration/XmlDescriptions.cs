using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Gateway.Tests.Configuration;

/// <summary>The summaries of the source's documentation, which lie next to the assemblies.</summary>
internal sealed partial class XmlDescriptions
{
    private readonly Dictionary<string, string> _summaries = new(StringComparer.Ordinal);

    public XmlDescriptions(params IEnumerable<Assembly> assemblies)
    {
        foreach (var assembly in assemblies)
            foreach (var member in XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml")).Descendants("member"))
                if (member.Element("summary") is { } summary)
                    _summaries[member.Attribute("name")!.Value] = Space().Replace(string.Concat(summary.Nodes().Select(TextOf)), " ").Trim();
    }

    public string Of(PropertyInfo property) => _summaries[$"P:{property.DeclaringType!.FullName}.{property.Name}"];

    private static string TextOf(XNode node) => node switch
    {
        XElement element when element.Attribute("cref") is { } reference => reference.Value[(reference.Value.LastIndexOf('.') + 1)..],
        XElement element => element.Value,
        _ => node.ToString(),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
