using System.Collections;
using Gateway.Configuration.Layers;

namespace Gateway.Configuration.Shapes;

/// <summary>
/// Makes options records of a checked configuration. ASP.NET Core's binder would add a list to the record's default list,
/// and would take for a default what was read as null.
/// </summary>
internal static class OptionsBinder
{
    /// <summary>The record of a section; what is not written has the record's default.</summary>
    public static T Bind<T>(ObjectNode section) => (T)BindRecord(typeof(T), section);

    private static object BindRecord(Type type, ObjectNode section)
    {
        var record = Activator.CreateInstance(type)!;
        foreach (var property in OptionsShape.PropertiesOf(type))
            if (section.Children.TryGetValue(property.Name, out var node))
            {
                if (node is NullNode { IsValue: true }) property.SetValue(record, null);
                else if (node is not NullNode) property.SetValue(record, BindValue(property.PropertyType, node));
            }

        return record;
    }

    private static object? BindValue(Type type, Node node)
    {
        if (OptionsShape.ScalarOf(type) is { } scalar) return scalar.Read(((ScalarNode)node).Value);
        if (OptionsShape.ItemOf(type) is { } item)
        {
            var items = ((ListNode)node).Items;
            var list = Array.CreateInstance(item, items.Count);
            for (var index = 0; index < items.Count; index++) list.SetValue(BindValue(item, items[index]), index);
            return list;
        }

        if (OptionsShape.ValueOf(type) is not { } value) return BindRecord(type, (ObjectNode)node);
        var mapType = typeof(Dictionary<,>).MakeGenericType(typeof(string), value);
        var map = (IDictionary)Activator.CreateInstance(mapType, StringComparer.Ordinal)!;
        foreach (var (name, child) in ((ObjectNode)node).Children)
            if (child is not NullNode) map[name] = BindValue(value, child);
        return map;
    }
}
