using System.Collections;
using System.Globalization;
using Gateway.Configuration.Schema;

namespace Gateway.Differences;

/// <summary>
/// A part of a configuration as it is in effect, with defaults filled in: a single value, a list, or a section. Its form in the files leaves no trace.
/// </summary>
internal sealed class Setting
{
    private static readonly IReadOnlyDictionary<string, Setting> s_none = new Dictionary<string, Setting>();

    private Setting(object? value, IReadOnlyDictionary<string, Setting> members) => (Value, Members) = (value, members);

    /// <summary>A number, Boolean, time span, moment, text, or list of texts. Null for a section.</summary>
    public object? Value { get; }

    /// <summary>The section's members by name.</summary>
    public IReadOnlyDictionary<string, Setting> Members { get; }

    /// <summary>Creates a section. Names are compared as keys of the configuration are.</summary>
    public static Setting Section(IEnumerable<KeyValuePair<string, Setting?>> members, StringComparer? names = null)
    {
        var section = new SortedDictionary<string, Setting>(names ?? StringComparer.OrdinalIgnoreCase);
        foreach (var (name, setting) in members)
            if (setting is not null) section[name] = setting;
        return new(null, section);
    }

    /// <summary>Reads a value, or an options record with all of its properties. Null is the absence of a setting.</summary>
    public static Setting? Of(object? value) => value switch
    {
        null => null,
        bool or long or double or TimeSpan or DateTimeOffset or string => new(value, s_none),
        int number => new((long)number, s_none),
        Enum => new(value.ToString()!, s_none),
        IDictionary map => Section(map.Keys.Cast<string>().Select(name => KeyValuePair.Create(name, (Setting?)OfEntry(map[name]))), NamesOf(map)),
        // The order of a list that is no sequence of steps means nothing.
        IEnumerable list => new(list.Cast<object?>().Select(TextOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray(), s_none),
        _ when OptionsSchema.PropertiesOf(value.GetType()) is { Length: > 0 } properties && value.GetType().Namespace != nameof(System) => Section(
            properties.Where(static property => property.GetIndexParameters().Length == 0)
                .Select(property => KeyValuePair.Create(property.Name, Of(property.GetValue(value))))),
        _ => new(Convert.ToString(value, CultureInfo.InvariantCulture)!, s_none),
    };

    /// <summary>Creates a list whose order matters.</summary>
    public static Setting Steps(IEnumerable<object> items) => new(items.Select(TextOf).ToArray(), s_none);

    /// <summary>Returns the section with another member; null removes it.</summary>
    public Setting With(string name, Setting? member) =>
        Section(Members.Where(other => !other.Key.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Select(static other => KeyValuePair.Create(other.Key, (Setting?)other.Value)).Append(KeyValuePair.Create(name, member)));

    /// <summary>Returns the section with a value at a path, unless there is one.</summary>
    public Setting WithDefault(ReadOnlySpan<string> path, Setting value)
    {
        var member = Members.GetValueOrDefault(path[0]);
        return path.Length == 1 ? member is null ? With(path[0], value) : this : With(path[0], (member ?? Section([])).WithDefault(path[1..], value));
    }

    /// <summary>Returns the section without some members.</summary>
    public Setting Without(params IEnumerable<string> names) => names.Aggregate(this, static (section, name) => section.With(name, null));

    /// <summary>The value as one text; null for a section.</summary>
    public string? Text => Value switch
    {
        null => null,
        string[] list => string.Join(", ", list),
        TimeSpan time => time.ToString("c"),
        DateTimeOffset time => time.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture),
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(Value, CultureInfo.InvariantCulture),
    };

    /// <summary>Whether another setting is the same value. Sections are never the same.</summary>
    public bool IsSameValue(Setting other) => (Value, other.Value) switch
    {
        (string[] list, string[] items) => list.SequenceEqual(items, StringComparer.Ordinal),
        (not null, not null) => Value.GetType() == other.Value.GetType() && Text == other.Text,
        _ => false,
    };

    // YARP's own maps ignore case. In the gateway's maps, names are compared with case.
    private static StringComparer NamesOf(IDictionary map) =>
        map.GetType().GetProperty("Comparer")?.GetValue(map) is StringComparer names && names.Equals("a", "A") ? names : StringComparer.Ordinal;

    // An entry without a value is there all the same.
    private static Setting OfEntry(object? value) => Of(value) ?? new("", s_none);

    private static string TextOf(object? item) => item switch
    {
        IDictionary map =>
            string.Join(", ", map.Keys.Cast<string>().Order(StringComparer.OrdinalIgnoreCase).Select(name => Entry(name, map[name]?.ToString()))),
        IEnumerable<KeyValuePair<string, string>> map =>
            string.Join(", ", map.OrderBy(static entry => entry.Key, StringComparer.OrdinalIgnoreCase).Select(static entry => Entry(entry.Key, entry.Value))),
        null => "",
        _ => Of(item) is { Value: null } section
            ? string.Join(", ", section.Members.Select(static member => Entry(member.Key, member.Value.Text)))
            : Of(item)!.Text!,
    };

    // The backslashes keep two entries apart from one whose value looks like them.
    private static string Entry(string name, string? value) =>
        $"{Escape(name).Replace("=", "\\=", StringComparison.Ordinal)}={Escape(value ?? "")}";

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace(",", "\\,", StringComparison.Ordinal);
}
