using Gateway.Configuration.Schema;
using IotCredentials.Failures;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Warns of environment variables that were probably meant for the gateway, which does not read them. An environment holds many that are not, so a variable
/// has to spell out a key, with other separators, or the name of a variable without a separator, with one typing error.
/// </summary>
internal static class EnvironmentNearMisses
{
    // URL, URI and the like are other programs'.
    private const int LongEnoughForAnySlip = 5;

    private static readonly char[] s_separators = ['_', '.', ':'];

    // The variables that are no keys.
    private static readonly string[] s_otherNames = ["GATEWAY_CONFIG", "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"];

    public static void Warn(IReadOnlyDictionary<string, string?> variables, ObjectSchema root, FindingList findings)
    {
        string[] names = [.. root.Members.Values.Where(static member => member.Schema is ScalarSchema).Select(static member => member.Name), .. s_otherNames];
        foreach (var (name, value) in variables)
        {
            if (string.IsNullOrEmpty(value) || EnvironmentLayer.IsRead(name, root) || s_otherNames.Contains(name, StringComparer.OrdinalIgnoreCase)) continue;
            if (KeyOf(root, name.Split(s_separators, StringSplitOptions.RemoveEmptyEntries)) is { } key)
                Warn(string.Join(':', key), string.Join("__", key));
            else if (NearestName.OfOneSlip(name, names.Where(meant => meant.Length >= LongEnoughForAnySlip || name.Length > meant.Length)) is { } meant)
                Warn(meant, meant);

            void Warn(string key, string instead) =>
                findings.Warning(key, EnvironmentLayer.SourceOf(name), $"has no effect: write {instead} instead, or remove the variable.");
        }
    }

    /// <summary>The key that these words spell, of which several may be one name: SEALING_KEY_PATH is Sealing:KeyPath. Null if they spell none.</summary>
    private static IEnumerable<string>? KeyOf(SchemaNode schema, string[] words) => (schema, words) switch
    {
        (ObjectSchema known, _) => KeyOf(known.Members, words),
        (OpenSchema open, _) => KeyOf(open.Members, words),
        (ScalarSchema or ListSchema, []) => [],
        (ListSchema list, [var index, .. var rest]) when int.TryParse(index, out _) => KeyOf(list.Item, rest)?.Prepend(index),
        (MapSchema map, [var name, .. var rest]) when rest.Length > 0 => KeyOf(map.Value, rest)?.Prepend(name),
        _ => null,
    };

    private static IEnumerable<string>? KeyOf(IReadOnlyDictionary<string, Member> members, string[] words)
    {
        for (var count = 1; count <= words.Length; count++)
        {
            if (members.TryGetValue(string.Concat(words[..count]), out var member) && KeyOf(member.Schema, words[count..]) is { } rest)
                return rest.Prepend(member.Name);
        }

        return null;
    }
}
