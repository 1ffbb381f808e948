using System.Collections;
using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Schema;

/// <summary>
/// Creates options records from a validated configuration. ASP.NET Core's binder appends a list to the record's default list, ignores an empty list, reads
/// "30" as 30 days, and throws on a value that the schema has already rejected.
/// </summary>
internal static class OptionsBinder
{
    /// <summary>Creates the record of a section. Keys that are not set, or that the schema rejects, have the record's defaults.</summary>
    public static T Bind<T>(ObjectNode section) => (T)BindRecord(typeof(T), section);

    private static object BindRecord(Type type, ObjectNode section)
    {
        var record = Activator.CreateInstance(type)!;
        foreach (var property in OptionsSchema.PropertiesOf(type))
            if (section.Children.TryGetValue(property.Name, out var node))
            {
                if (node is NullNode { IsValue: true }) property.SetValue(record, null);
                else if (node is not NullNode && BindValue(property.PropertyType, node) is { } value) property.SetValue(record, value);
            }

        return record;
    }

    private static object? BindValue(Type type, Node node)
    {
        if (OptionsSchema.ScalarOf(type) is { } scalar) return scalar.Read(((ScalarNode)node).Value);
        if (OptionsSchema.ItemOf(type) is { } item)
        {
            var items = ((ListNode)node).Items;
            var list = Array.CreateInstance(item, items.Count);
            for (var index = 0; index < items.Count; index++) list.SetValue(BindValue(item, items[index]), index);
            return list;
        }

        if (OptionsSchema.ValueOf(type) is not { } value) return BindRecord(type, (ObjectNode)node);
        var mapType = typeof(Dictionary<,>).MakeGenericType(typeof(string), value);
        var map = (IDictionary)Activator.CreateInstance(mapType, StringComparer.Ordinal)!;
        foreach (var (name, child) in ((ObjectNode)node).Children)
            if (child is not NullNode) map[name] = BindValue(value, child);
        return map;
    }
}
