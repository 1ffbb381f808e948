using CredentialModule.Policies;
using CredentialModule.Telemetry;
using Gateway.Configuration.Layers;

namespace Gateway.Configuration.Shapes;

/// <summary>Holds a layer against the shape of the configuration, and keeps what fits.</summary>
internal sealed class ShapeCheck(FindingList findings)
{
    /// <summary>The layer with known names as they are documented and lists as lists, without what does not fit.</summary>
    public ObjectNode Check(ObjectNode layer, ObjectShape root) => CheckObject(layer, root, "");

    private Node? Check(Node node, Shape shape, string path) => (shape, node) switch
    {
        (_, NullNode) => node,
        (FreeShape, _) => WithLists(node),
        (OpenShape open, ObjectNode section) => CheckOpen(section, open, path),
        (OpenShape, _) => WithLists(node),
        (ObjectShape known, ObjectNode section) => CheckObject(section, known, path),
        (MapShape map, ObjectNode section) => CheckMap(section, map, path),
        (ListShape list, ListNode items) => CheckList(items, list, path),
        (ListShape list, ObjectNode { IsText: true } items) => ToList(items, path) is { } found ? CheckList(found, list, path) : null,
        (ListShape, ScalarNode { IsText: true, Value: "" }) => new ListNode(node.Source, true, []),
        (ScalarShape scalar, ScalarNode value) => CheckScalar(value, scalar, path),
        _ => Refuse(node, path, $"is {Describe(node)} where {Describe(shape)} belongs. {Advice(shape)}"),
    };

    private ObjectNode CheckObject(ObjectNode section, ObjectShape shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
        {
            if (!shape.Members.TryGetValue(name, out var member))
            {
                // A value that was pasted in the place of a name can be a secret.
                var shown = NearestName.Of(name, shape.Members.Keys) is null ? SecretText.Hide(name) : name;
                Refuse(child, KeyPath.Combine(path, shown), $"is not a known key. {Advice(name, shape, path)}{Otherwise(shape, name)}");
                continue;
            }

            if (member.NoEffect is { } message)
            {
                findings.Warning(KeyPath.Combine(path, member.Name), SourceOf(child), message);
                continue;
            }

            var result = Check(child, member.Shape, KeyPath.Combine(path, member.Name));
            if (result is NullNode unset) result = unset with { IsValue = member.NullIsValue };
            if (result is not null) kept.Children[member.Name] = result;
        }

        return kept;
    }

    private static string Otherwise(ObjectShape shape, string name) =>
        shape.Otherwise is { } advice && NearestName.Of(name, shape.Members.Keys) is null ? " " + advice : "";

    private ObjectNode CheckOpen(ObjectNode section, OpenShape shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
        {
            var member = shape.Members.GetValueOrDefault(name) ?? new Member(name, shape.Other);
            var key = KeyPath.Combine(path, member.Name);
            var result = !shape.Members.ContainsKey(name) && NearestName.OfOneSlip(name, shape.Members.Keys) is { } meant
                ? Refuse(child, key, $"is not a known key. Did you mean \"{meant}\"?")
                : Check(child, member.Shape, key);
            if (result is not null) kept.Children[member.Name] = result;
        }

        return kept;
    }

    private ObjectNode CheckMap(ObjectNode section, MapShape shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
            if (Check(child, shape.Value, KeyPath.Combine(path, name)) is { } result) kept.Children[name] = result;
        return kept;
    }

    private ListNode CheckList(ListNode list, ListShape shape, string path)
    {
        var kept = new List<Node>();
        for (var index = 0; index < list.Items.Count; index++)
        {
            var key = KeyPath.Combine(path, KeyPath.Index(index));
            var item = list.Items[index] is NullNode nothing
                ? Refuse(nothing, key, "is null. Remove it: a list holds values only.")
                : Check(list.Items[index], shape.Item, key);
            if (item is not null) kept.Add(item);
        }

        return new ListNode(list.Source, list.IsText, kept);
    }

    private ScalarNode? CheckScalar(ScalarNode node, ScalarShape shape, string path)
    {
        if (shape.Normalize(node.Value) is { } value) return node with { Value = value };
        Refuse(node, path, $"is {Finding.Quote(node.Value)}. Write {shape.Expected}.");
        return null;
    }

    // ASP.NET Core would lay single items over a list; here a later layer's list stands alone, so it has to be whole.
    private ListNode? ToList(ObjectNode section, string path)
    {
        var items = new List<Node>();
        while (section.Children.TryGetValue(KeyPath.Index(items.Count), out var item)) items.Add(item);
        if (items.Count == section.Children.Count) return new ListNode(section.Source, true, items);
        foreach (var (name, child) in section.Children)
            if (!int.TryParse(name, out var index) || index < 0 || index >= items.Count)
                Refuse(child, KeyPath.Combine(path, name),
                    "is no item of a list that is counted from 0. A later layer's list replaces the earlier one whole: "
                    + $"begin with {path}:0 and leave out no number.");
        return null;
    }

    private static Node WithLists(Node node)
    {
        if (node is not ObjectNode section) return node;
        var items = new List<Node>();
        while (section.IsText && section.Children.TryGetValue(KeyPath.Index(items.Count), out var item)) items.Add(WithLists(item));
        if (items.Count > 0 && items.Count == section.Children.Count) return new ListNode(section.Source, true, items);
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children) kept.Children[name] = WithLists(child);
        return kept;
    }

    private Node? Refuse(Node node, string path, string message)
    {
        findings.Error(path, SourceOf(node), message);
        return null;
    }

    private static string Advice(string name, ObjectShape shape, string path)
    {
        if (path.Length == 0 && OtherProducts.AdviceFor(name) is { } advice) return advice;
        string[] read = [.. shape.Members.Values.Where(member => member.NoEffect is null).Select(member => member.Name)];
        // A section is another's when its name is a known one with a word more.
        return path.Length == 0 && read.FirstOrDefault(other => IsLonger(name, other)) is not null
            ? $"No part of the gateway reads it: remove it. Sections that are read: {string.Join(", ", read.Order(StringComparer.OrdinalIgnoreCase))}."
            : NearestName.Advice(name, read);
    }

    private static bool IsLonger(string name, string other) => name.Length > other.Length + 1 && name.Contains(other, StringComparison.OrdinalIgnoreCase);

    // In a layer of text a section has no source of its own, only the variables below it have.
    private static string SourceOf(Node node) =>
        node is ObjectNode { IsText: true } section && section.Children.Count > 0 ? SourceOf(section.Children.Values.First()) : node.Source;

    private static string Describe(Node node) => node switch { ObjectNode => "a section", ListNode => "a list", _ => "a single value" };

    private static string Describe(Shape shape) => shape switch
    {
        ObjectShape or MapShape => "a section",
        ListShape => "a list",
        _ => "a single value",
    };

    private static string Advice(Shape shape) => shape switch
    {
        ScalarShape scalar => $"Write {scalar.Expected}.",
        ListShape => "Write [ \"…\" ], or with variables and the command line one key an item: …:0, …:1.",
        ObjectShape known => $"Write keys between {{ and }}: {string.Join(", ", known.Members.Keys.Order(StringComparer.OrdinalIgnoreCase))}.",
        _ => "Write names and values between { and }.",
    };
}
