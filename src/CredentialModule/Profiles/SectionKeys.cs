using System.Reflection;
using IotCredentials.Policies;
using Microsoft.Extensions.Configuration;

namespace IotCredentials.Profiles;

/// <summary>
/// Finds the keys of a section that no option reads. The configuration binder ignores them, so a misspelt key would silently keep its default.
/// </summary>
internal static class SectionKeys
{
    public static IEnumerable<ConfigurationProblem> Unknown(IConfiguration section) =>
        section.GetSection("IotCredentials").Exists()
            ? [new(
                "IotCredentials",
                "is inside the section that AddIotCredentials was given. Pass builder.Configuration.GetSection(\"IotCredentials\"), not the whole configuration.")]
            : Unknown(section, typeof(IotCredentialsOptions), "");

    private static IEnumerable<ConfigurationProblem> Unknown(IConfiguration section, Type options, string path)
    {
        var known = options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(static property => property.CanWrite)
            .ToDictionary(static property => property.Name, static property => property.PropertyType, StringComparer.OrdinalIgnoreCase);
        return section.GetChildren().SelectMany(child => known.TryGetValue(child.Key, out var type)
            ? Below(child, type, $"{path}{child.Key}:")
            : [new($"{path}{child.Key}", $"is not known. {NearestName.Advice(child.Key, known.Keys)}")]);
    }

    private static IEnumerable<ConfigurationProblem> Below(IConfigurationSection section, Type type, string path) =>
        IsOptions(type) ? Unknown(section, type, path)
        // The operator chooses the names in a dictionary.
        : type is { IsGenericType: true } && type.GetGenericArguments() is [_, var value] && IsOptions(value)
            ? section.GetChildren().SelectMany(entry => Unknown(entry, value, $"{path}{entry.Key}:"))
        : [];

    private static bool IsOptions(Type type) => type.IsClass && type.Assembly == typeof(IotCredentialsOptions).Assembly;
}
