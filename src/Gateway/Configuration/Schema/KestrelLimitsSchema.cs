using System.Reflection;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Configuration.Schema;

/// <summary>Derives the schema of the section <c>Kestrel:Limits</c> from Kestrel's own options.</summary>
internal static class KestrelLimitsSchema
{
    /// <summary>Returns the section's schema.</summary>
    public static ObjectSchema Read() => Of(typeof(KestrelServerLimits));

    private static ObjectSchema Of(Type type)
    {
        var nullability = new NullabilityInfoContext();
        return new ObjectSchema(type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => new Member(
            property.Name,
            // A rate in bytes is written as a whole number, although Kestrel stores it as a double.
            property.PropertyType == typeof(double)
                ? ScalarSchema.Int64
                : OptionsSchema.ScalarOf(property.PropertyType) ?? (SchemaNode)Of(property.PropertyType),
            property.CanWrite && nullability.Create(property).WriteState == NullabilityState.Nullable)));
    }
}
