using System.Reflection;
using IotCredentials.Failures;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace IotCredentials.Profiles;

/// <summary>
/// Rejects keys of the section that no option reads. The configuration binder ignores them, so a misspelt key would silently keep its default.
/// </summary>
internal sealed class SectionKeys(IConfiguration section) : IValidateOptions<IotCredentialsOptions>
{
    public ValidateOptionsResult Validate(string? name, IotCredentialsOptions options)
    {
        if (section.GetSection("IotCredentials").Exists())
        {
            return ValidateOptionsResult.Fail(
                "IotCredentials is inside the section that AddIotCredentials was given. "
                + "Pass builder.Configuration.GetSection(\"IotCredentials\"), not the whole configuration.");
        }

        var unknown = Unknown(section, typeof(IotCredentialsOptions), "IotCredentials:").ToList();
        return unknown.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(unknown);
    }

    private static IEnumerable<string> Unknown(IConfiguration section, Type options, string path)
    {
        var known = options.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(static property => property.CanWrite)
            .ToDictionary(static property => property.Name, static property => property.PropertyType, StringComparer.OrdinalIgnoreCase);
        return section.GetChildren().SelectMany(child => known.TryGetValue(child.Key, out var type)
            ? Below(child, type, $"{path}{child.Key}:")
            : [$"{path}{child.Key} is not known. {NearestName.Advice(child.Key, known.Keys)}"]);
    }

    private static IEnumerable<string> Below(IConfigurationSection section, Type type, string path) =>
        IsOptions(type) ? Unknown(section, type, path)
        // The operator chooses the names in a dictionary.
        : type is { IsGenericType: true } && type.GetGenericArguments() is [_, var value] && IsOptions(value)
            ? section.GetChildren().SelectMany(entry => Unknown(entry, value, $"{path}{entry.Key}:"))
        : [];

    private static bool IsOptions(Type type) => type.IsClass && type.Assembly == typeof(IotCredentialsOptions).Assembly;
}
