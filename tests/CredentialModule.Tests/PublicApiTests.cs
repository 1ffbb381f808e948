using System.Reflection;
using Xunit;

namespace IotCredentials.Tests;

/// <summary>What hosts compile against. A change of it is made on purpose: in PublicApi.txt too.</summary>
public sealed class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    [Fact]
    public void The_modules_public_members_are_those_of_the_checked_in_list()
    {
        var members = typeof(OrganizationId).Assembly.GetExportedTypes().SelectMany(Describe).Order(StringComparer.Ordinal).ToArray();
        File.WriteAllLines(Path.Combine(AppContext.BaseDirectory, "PublicApi.received.txt"), members);

        Assert.Equal(File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt")), members);
    }

    // What the compiler adds to records is no decision of ours.
    private static IEnumerable<string> Describe(Type type) => type.GetMembers(Declared)
        .Where(member =>
            member is not (MethodInfo { IsSpecialName: true } or FieldInfo { IsSpecialName: true })
            && !member.IsDefined(typeof(System.Runtime.CompilerServices.CompilerGeneratedAttribute)))
        .Select(member => $"{type.FullName}: {Describe(member)}")
        .Prepend($"{type.FullName}");

    private static string Describe(MemberInfo member) => member switch
    {
        PropertyInfo property => $"{property} {{ {string.Join(' ', property.GetAccessors().Select(Accessor))} }}",
        _ => member.ToString()!,
    };

    private static string Accessor(MethodInfo accessor) =>
        accessor.ReturnType != typeof(void) ? "get;"
        : accessor.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.CompilerServices.IsExternalInit)) ? "init;"
        : "set;";
}
