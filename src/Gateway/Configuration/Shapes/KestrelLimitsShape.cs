using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Configuration.Shapes;

/// <summary>Reads from Kestrel's own options what may be written in the section <c>Kestrel:Limits</c>.</summary>
internal static class KestrelLimitsShape
{
    /// <summary>The section.</summary>
    public static ObjectShape Read() => Of(typeof(KestrelServerLimits));

    private static ObjectShape Of(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return new ObjectShape(type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => new Member(
            property.Name,
            // A rate in bytes is a whole number, though Kestrel keeps it as another.
            property.PropertyType == typeof(double) ? ScalarShape.Int64 : OptionsShape.ScalarOf(property.PropertyType) ?? (Shape)Of(property.PropertyType),
            property.CanWrite && nullability.Create(property).WriteState == NullabilityState.Nullable)));
    }
}
