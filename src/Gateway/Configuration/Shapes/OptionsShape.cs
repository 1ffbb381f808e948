using System.Reflection;

namespace Gateway.Configuration.Shapes;

/// <summary>Reads from an options record what may be written in its section.</summary>
internal static class OptionsShape
{
    /// <summary>The section that a record stands for: one name a property that can be set.</summary>
    public static ObjectShape OfRecord(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return new ObjectShape(PropertiesOf(type).Select(property =>
        {
            var shape = Of(property.PropertyType);
            return new Member(property.Name, shape, shape is ScalarShape && nullability.Create(property).WriteState == NullabilityState.Nullable);
        }));
    }

    /// <summary>The properties that are keys.</summary>
    public static IEnumerable<PropertyInfo> PropertiesOf(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite);

    /// <summary>What a list of this type holds; null when it is no list.</summary>
    public static Type? ItemOf(Type type) => ArgumentOf(type, typeof(IReadOnlyList<>), 0);

    /// <summary>What a map of this type holds by name; null when it is no map.</summary>
    public static Type? ValueOf(Type type) => ArgumentOf(type, typeof(IReadOnlyDictionary<,>), 1) ?? ArgumentOf(type, typeof(IDictionary<,>), 1);

    /// <summary>How a value of this type is written; null when it is no single value.</summary>
    public static ScalarShape? ScalarOf(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return type == typeof(string) ? ScalarShape.Text
            : type == typeof(bool) ? ScalarShape.Boolean
            : type == typeof(int) ? ScalarShape.Int32
            : type == typeof(long) ? ScalarShape.Int64
            : type == typeof(TimeSpan) ? ScalarShape.Duration
            : type.IsEnum ? ScalarShape.Enumeration(type)
            : null;
    }

    private static Shape Of(Type type) =>
        ScalarOf(type) is { } scalar ? scalar
        : ItemOf(type) is { } item ? new ListShape(Of(item))
        : ValueOf(type) is { } value ? new MapShape(Of(value))
        : OfRecord(type);

    private static Type? ArgumentOf(Type type, Type definition, int index) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == definition ? type.GetGenericArguments()[index] : null;
}
