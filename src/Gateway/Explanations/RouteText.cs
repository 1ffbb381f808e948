using System.Globalization;
using System.Text;

namespace Gateway.Explanations;

/// <summary>Formats routes as text.</summary>
internal static class RouteText
{
    public static string Of(IReadOnlyList<RouteRow> rows)
    {
        var text = new StringBuilder("The routes in the order they are matched. The first route that matches a request takes it.\n");
        for (var index = 0; index < rows.Count; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{index + 1}  {rows[index].Route}\n");
            Lines(text, rows[index]);
        }

        return text.ToString();
    }

    /// <summary>Appends all settings of a route, below a title.</summary>
    public static void Lines(StringBuilder text, RouteRow row)
    {
        foreach (var (name, value) in Lines(row)) text.Line(name, value);
    }

    /// <summary>Appends one named value, below a title.</summary>
    public static void Line(this StringBuilder text, string name, string value) =>
        text.Append(CultureInfo.InvariantCulture, $"   {name,-11} {value.OneLine()}\n");

    /// <summary>Replaces control characters, so that the text cannot send commands to a terminal.</summary>
    public static string OneLine(this string text) => string.Concat(text.Select(character => char.IsControl(character) ? '?' : character));

    /// <summary>Describes who may use a route. A route that is open without authentication is highlighted.</summary>
    public static string Who(RouteRow row) =>
        row.Anyone ? $"!! ANYONE, without a token ({row.Policy})"
        : (row.Policy is { } name ? $"{name}: " : "") + (row.Requirements.Count > 0 ? string.Join("; ", row.Requirements) : "any authenticated caller");

    private static IEnumerable<(string Name, string Value)> Lines(RouteRow row)
    {
        yield return ("path", row.Match.Path);
        if (row.Match.Order != 0) yield return ("order", $"{row.Match.Order}");
        yield return ("methods", row.Match.Methods.Count > 0 ? string.Join(", ", row.Match.Methods) : "any");
        if (row.Match.Hosts.Count > 0) yield return ("hosts", string.Join(", ", row.Match.Hosts));
        if (row.Match.Headers.Count > 0) yield return ("headers", string.Join("; ", row.Match.Headers));
        if (row.Match.Query.Count > 0) yield return ("query", string.Join("; ", row.Match.Query));
        yield return ("policy", Who(row));
        if (row.Limit is { } limit) yield return ("limit", $"{limit.Name}: {limit.Says}");
        if (row.Cors is { } cors) yield return ("CORS", $"{cors.Name}: {cors.Says}");
        if (row.Timeout is { } timeout) yield return ("timeout", $"{timeout:c}");
        if (row.MaxRequestBodySize is { } size) yield return ("body", size < 0 ? "any size" : $"at most {size} bytes");
        if (row.IpAllow is { } addresses) yield return ("clients", $"only {addresses}");
        yield return ("target", row.Target.ToString());
        if (row.Target.SharedTopics is { } shared) yield return ("shared", $"every organization receives {string.Join(", ", shared)}");
    }
}
