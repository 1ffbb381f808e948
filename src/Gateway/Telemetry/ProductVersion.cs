using System.Reflection;

namespace Gateway.Telemetry;

/// <summary>The version of this build, with the commit that it was built from.</summary>
internal static class ProductVersion
{
    public static string Text { get; } =
        typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
