using System.Collections.Concurrent;
using System.Reflection;

namespace Gateway.Configuration.Schema;

/// <summary>Derives the schema of a section from its options record.</summary>
internal static class OptionsSchema
{
    private static readonly ConcurrentDictionary<Type, PropertyInfo[]> s_properties = new();

    /// <summary>Returns the schema of a record: one key for each settable property.</summary>
    public static ObjectSchema OfRecord(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return new ObjectSchema(PropertiesOf(type).Select(property =>
        {
            var shape = Of(property.PropertyType);
            if (shape is ListSchema list) shape = list with { Empty = EmptyLists.Of(property) };
            return new Member(property.Name, shape, shape is ScalarSchema && nullability.Create(property).WriteState == NullabilityState.Nullable);
        }));
    }

    /// <summary>Returns the properties that are keys.</summary>
    public static PropertyInfo[] PropertiesOf(Type type) => s_properties.GetOrAdd(
        type, static type => [.. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(static property => property.CanWrite)]);

    /// <summary>Returns the item type of a list type, or null for another type.</summary>
    public static Type? ItemOf(Type type) => ArgumentOf(type, typeof(IReadOnlyList<>), 0);

    /// <summary>Returns the value type of a map type, or null for another type.</summary>
    public static Type? ValueOf(Type type) => ArgumentOf(type, typeof(IReadOnlyDictionary<,>), 1) ?? ArgumentOf(type, typeof(IDictionary<,>), 1);

    /// <summary>Returns the schema of a single value of this type, or null for another type.</summary>
    public static ScalarSchema? ScalarOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) ? ScalarSchema.Text
            : type == typeof(bool) ? ScalarSchema.Boolean
            : type == typeof(int) ? ScalarSchema.Int32
            : type == typeof(long) ? ScalarSchema.Int64
            : type == typeof(TimeSpan) ? ScalarSchema.Duration
            : type == typeof(DateTimeOffset) ? ScalarSchema.Time
            : type.IsEnum ? ScalarSchema.Enumeration(type)
            : null;
    }

    private static SchemaNode Of(Type type) =>
        ScalarOf(type) is { } scalar ? scalar
        : ItemOf(type) is { } item ? new ListSchema(Of(item))
        : ValueOf(type) is { } value ? new MapSchema(Of(value))
        : OfRecord(type);

    private static Type? ArgumentOf(Type type, Type definition, int index) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition ? type.GetGenericArguments()[index] : null;
}
