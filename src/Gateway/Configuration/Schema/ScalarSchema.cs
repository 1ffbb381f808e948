using System.Globalization;

namespace Gateway.Configuration.Schema;

/// <summary>The schema of a single value.</summary>
/// <param name="Expected">The expected text, as the end of "write …".</param>
/// <param name="Read">Parses the value. Returns null when the text is not a value.</param>
internal sealed record ScalarSchema(string Expected, Func<string, object?> Read) : SchemaNode
{
    /// <summary>Any text.</summary>
    public static readonly ScalarSchema Text = new("a text", text => text);

    /// <summary>True or false.</summary>
    public static readonly ScalarSchema Boolean = new("true or false", text => bool.TryParse(text, out var value) ? value : null);

    /// <summary>A 32-bit whole number.</summary>
    public static readonly ScalarSchema Int32 = new(
        "a whole number",
        text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A 64-bit whole number.</summary>
    public static readonly ScalarSchema Int64 = new(
        "a whole number",
        text => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A time span. .NET reads "30" as 30 days and "00:30" as half an hour, so only the unambiguous form is accepted.</summary>
    public static readonly ScalarSchema Duration = new(
        "a time as \"hh:mm:ss\", for example \"00:00:30\"",
        text => text.Count(character => character == ':') == 2
            && TimeSpan.TryParseExact(text, "c", CultureInfo.InvariantCulture, out var value) ? value : null);

    /// <summary>A moment. Without a zone it would be another moment on each machine.</summary>
    public static readonly ScalarSchema Time = new(
        "a time with its zone, for example \"2027-01-01T00:00:00Z\"",
        text => DateTimeOffset.TryParseExact(
            text, ["yyyy-MM-dd'T'HH:mm:ss'Z'", "yyyy-MM-dd'T'HH:mm:sszzz"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var value)
            ? value : null);

    /// <summary>One of an enumeration's names.</summary>
    public static ScalarSchema Enumeration(Type type)
    {
        var names = Enum.GetNames(type);
        return new ScalarSchema(OneOf(names), text => Find(names, text) is { } name ? Enum.Parse(type, name) : null);
    }

    /// <summary>One of the given names.</summary>
    public static ScalarSchema Choice(IReadOnlyList<string> names) => new(OneOf(names), text => Find(names, text));

    /// <summary>Returns the value in the form that every reader understands the same way, or null when the text is not a value.</summary>
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
