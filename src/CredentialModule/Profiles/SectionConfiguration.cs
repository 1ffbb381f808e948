using System.Reflection;
using IotCredentials.Failures;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace IotCredentials.Profiles;

/// <summary>Sets the options from a section. It is stricter than the configuration binder, which ignores what it cannot read.</summary>
internal sealed class SectionConfiguration(IConfiguration section) : IConfigureOptions<IotCredentialsOptions>
{
    /// <exception cref="OptionsValidationException">The section has a key that no option reads: a misspelt key would silently keep its default.</exception>
    /// <exception cref="InvalidOperationException">A value is not of its key's type.</exception>
    public void Configure(IotCredentialsOptions options)
    {
        if (section.GetSection("IotCredentials").Exists())
        {
            throw Refused([
                "IotCredentials is inside the section that AddIotCredentials was given. "
                + "Pass builder.Configuration.GetSection(\"IotCredentials\"), not the whole configuration."]);
        }

        if (section.GetSection("AwsIdentity").Exists())
        {
            throw Refused([
                "IotCredentials:AwsIdentity is a key of the gateway's, and not of the module. "
                + "Set AwsClientOptions.Credentials to a source of your own, or leave the key out for the AWS SDK's chain."]);
        }

        var unknown = Unknown(section, typeof(IotCredentialsOptions), "IotCredentials:").ToList();
        if (unknown.Count > 0) throw Refused(unknown);
        section.Bind(options);
        AddDropped(options.Profiles, section.GetSection(nameof(options.Profiles)));
        AddDropped(options.Organizations, section.GetSection(nameof(options.Organizations)));
    }

    // The binder drops an entry of a dictionary that is empty, and one that it cannot read, which throws if it is read by itself.
    private static void AddDropped(IDictionary<string, ProfileOptions> bound, IConfigurationSection section)
    {
        foreach (var entry in section.GetChildren())
        {
            var read = entry.Get<ProfileOptions>() ?? new();
            if (!bound.TryGetValue(entry.Key, out var profile) || profile is null) bound[entry.Key] = read;
        }
    }

    private static OptionsValidationException Refused(IEnumerable<string> problems) =>
        new(Options.DefaultName, typeof(IotCredentialsOptions), problems);

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
