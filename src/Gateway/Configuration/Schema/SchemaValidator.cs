using Gateway.Configuration.Tree;
using IotCredentials.Failures;

namespace Gateway.Configuration.Schema;

/// <summary>Validates a layer against the configuration's schema, and keeps the valid part.</summary>
internal sealed class SchemaValidator(FindingList findings)
{
    /// <summary>Returns the layer's valid part, with known names in their documented case and with lists as list nodes.</summary>
    public ObjectNode Check(ObjectNode layer, ObjectSchema root) => CheckObject(layer, root, "");

    private Node? Check(Node node, SchemaNode shape, string path) => (shape, node) switch
    {
        (ListSchema list, NullNode or ListNode { Items.Count: 0 }) => CheckEmpty(node, list, path),
        (ListSchema list, ScalarNode { IsText: true, Value: "" }) => CheckEmpty(new ListNode(node.Source, true, []), list, path),
        (_, NullNode) => node,
        (AnySchema, _) => WithLists(node),
        (OpenSchema open, ObjectNode section) => CheckOpen(section, open, path),
        (OpenSchema, _) => WithLists(node),
        (ObjectSchema known, ObjectNode section) => CheckObject(section, known, path),
        (MapSchema map, ObjectNode section) => CheckMap(section, map, path),
        (ListSchema list, ListNode items) => CheckList(items, list, path),
        (ListSchema list, ObjectNode { IsText: true } items) => ToList(items, path) is { } found ? CheckList(found, list, path) : null,
        (ScalarSchema scalar, ScalarNode value) => CheckScalar(value, scalar, path),
        _ => Refuse(node, path, $"is {Describe(node)} where {Describe(shape)} belongs. {Advice(shape)}"),
    };

    private ObjectNode CheckObject(ObjectNode section, ObjectSchema shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
        {
            if (!shape.Members.TryGetValue(name, out var member))
            {
                // A value that was pasted in place of a name can be a secret.
                var shown = NearestName.Of(name, shape.Members.Keys) is null ? SecretText.Hide(name) : name;
                Refuse(child, KeyPath.Combine(path, shown), $"is not a known key. {Advice(name, shape, path)}{Otherwise(shape, name)}");
                continue;
            }

            if (member.NoEffect is { } message)
            {
                findings.Warning(KeyPath.Combine(path, member.Name), SourceOf(child), message);
                continue;
            }

            var result = child is ScalarNode single && member.Schema is ScalarSchema scalar && scalar.Normalize(single.Value) is { } value
                ? single with { Value = value }
                : Check(child, member.Schema, KeyPath.Combine(path, member.Name));
            if (result is NullNode unset) result = unset with { IsValue = member.NullIsValue };
            if (result is not null) kept.Children[member.Name] = result;
        }

        return kept;
    }

    private static string Otherwise(ObjectSchema shape, string name) =>
        shape.Otherwise is { } advice && NearestName.Of(name, shape.Members.Keys) is null ? " " + advice : "";

    private ObjectNode CheckOpen(ObjectNode section, OpenSchema shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
        {
            var member = shape.Members.GetValueOrDefault(name) ?? new Member(name, shape.Other);
            var key = KeyPath.Combine(path, member.Name);
            var result = !shape.Members.ContainsKey(name) && NearestName.OfOneSlip(name, shape.Members.Keys) is { } meant
                ? Refuse(child, key, $"is not a known key. Did you mean \"{meant}\"?")
                : Check(child, member.Schema, key);
            if (result is not null) kept.Children[member.Name] = result;
        }

        return kept;
    }

    private ObjectNode CheckMap(ObjectNode section, MapSchema shape, string path)
    {
        var kept = new ObjectNode(section.Source, section.IsText);
        foreach (var (name, child) in section.Children)
            if (Check(child, shape.Value, KeyPath.Combine(path, name)) is { } result) kept.Children[name] = result;
        return kept;
    }

    private ListNode CheckList(ListNode list, ListSchema shape, string path)
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

    private Node? CheckEmpty(Node node, ListSchema shape, string path) => (shape.Empty, node) switch
    {
        (EmptyList.None, _) or (EmptyList.NoneAndNullIsAny, ListNode) => node,
        (EmptyList.NoneAndNullIsAny, _) or (EmptyList.Any, ListNode { IsText: false }) => node with { IsAny = true },
        _ => Refuse(node, path, $"is {(node is NullNode ? "null" : "empty")}. Name at least one value, or leave the key out."),
    };

    private ScalarNode? CheckScalar(ScalarNode node, ScalarSchema shape, string path)
    {
        if (shape.Normalize(node.Value) is { } value) return node with { Value = value };
        Refuse(node, path, $"is {Finding.Quote(node.Value)}. Write {shape.Expected}.");
        return null;
    }

    // ASP.NET Core would merge single items into an earlier list. Here a later layer's list replaces the earlier one, so it must be complete.
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
        findings.Error(KeyPath.Shown(path), SourceOf(node), message);
        return null;
    }

    private static string Advice(string name, ObjectSchema shape, string path)
    {
        if (path.Length == 0 && OtherProducts.AdviceFor(name) is { } advice) return advice;
        string[] read = [.. shape.Members.Values.Where(member => member.NoEffect is null).Select(member => member.Name)];
        // If the name contains a known section's name and more, the section belongs to another product.
        return path.Length == 0 && read.FirstOrDefault(other => IsLonger(name, other)) is not null
            ? $"No part of the gateway reads it: remove it. Sections that are read: {string.Join(", ", read.Order(StringComparer.OrdinalIgnoreCase))}."
            : NearestName.Advice(name, read);
    }

    private static bool IsLonger(string name, string other) => name.Length > other.Length + 1 && name.Contains(other, StringComparison.OrdinalIgnoreCase);

    // In a text layer, a section has no source of its own; only the variables below it have one.
    private static string SourceOf(Node node) =>
        node is ObjectNode { IsText: true } section && section.Children.Count > 0 ? SourceOf(section.Children.Values.First()) : node.Source;

    private static string Describe(Node node) => node switch { ObjectNode => "a section", ListNode => "a list", _ => "a single value" };

    private static string Describe(SchemaNode shape) => shape switch
    {
        ObjectSchema or MapSchema => "a section",
        ListSchema => "a list",
        _ => "a single value",
    };

    private static string Advice(SchemaNode shape) => shape switch
    {
        ScalarSchema scalar => $"Write {scalar.Expected}.",
        ListSchema => "Write [ \"…\" ], or with variables and the command line one key an item: …:0, …:1.",
        ObjectSchema known => $"Write keys between {{ and }}: {string.Join(", ", known.Members.Keys.Order(StringComparer.OrdinalIgnoreCase))}.",
        _ => "Write names and values between { and }.",
    };
}
