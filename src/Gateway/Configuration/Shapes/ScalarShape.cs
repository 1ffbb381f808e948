using System.Globalization;

namespace Gateway.Configuration.Shapes;

/// <summary>A single value.</summary>
/// <param name="Expected">What to write, as the end of "write …".</param>
/// <param name="Read">Reads the value; null when the text is none.</param>
internal sealed record ScalarShape(string Expected, Func<string, object?> Read) : Shape
{
    /// <summary>Any text.</summary>
    public static readonly ScalarShape Text = new("a text", text => text);

    /// <summary>True or false.</summary>
    public static readonly ScalarShape Boolean = new("true or false", text => bool.TryParse(text, out var value) ? value : null);

    /// <summary>A number of 32 bits.</summary>
    public static readonly ScalarShape Int32 = new(
        "a whole number",
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A number of 64 bits.</summary>
    public static readonly ScalarShape Int64 = new(
        "a whole number",
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A time span. .NET reads "30" as 30 days and "00:30" as half an hour: only the form that cannot be misread is taken.</summary>
    public static readonly ScalarShape Duration = new(
        "a time as \"hh:mm:ss\", for example \"00:00:30\"",
        text => text.Count(character => character == ':') == 2
            && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>One of an enumeration's names.</summary>
    public static ScalarShape Enumeration(Type type)
    {
        var names = Enum.GetNames(type);
        return new ScalarShape(OneOf(names), text => Find(names, text) is { } name ? Enum.Parse(type, name) : null);
    }

    /// <summary>One of some names.</summary>
    public static ScalarShape Choice(IReadOnlyList<string> names) => new(OneOf(names), text => Find(names, text));

    /// <summary>The text that means the same to every reader, when it is a value at all.</summary>
    public string? Normalize(string text) => Read(text) switch
    {
        null => null,
        bool value => value ? "true" : "false",
        Enum value => value.ToString(),
        string value => value,
        _ => text,
    };

    private static string? Find(IReadOnlyList<string> names, string text) =>
        names.FirstOrDefault(name => name.Equals(text, StringComparison.OrdinalIgnoreCase));

    private static string OneOf(IReadOnlyList<string> names) => $"one of {string.Join(", ", names)}";
}
