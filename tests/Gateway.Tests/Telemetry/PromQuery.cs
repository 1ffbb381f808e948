using System.Text.RegularExpressions;

namespace Gateway.Tests.Telemetry;

/// <summary>The metrics that a query of Prometheus reads, each with its matchers, and the labels that it groups by.</summary>
internal sealed partial class PromQuery
{
    public PromQuery(string text)
    {
        Labels = [.. Grouping().Matches(text).SelectMany(static group => group.Groups["labels"].Value.Split(',', StringSplitOptions.TrimEntries))];
        if (LabelValues().Match(text) is { Success: true } variable) (text, Labels) = (variable.Groups["query"].Value, [variable.Groups["label"].Value]);
        text = Left().Replace(Grouping().Replace(text, " "), " ");
        Selectors = [.. Selector().Matches(text).Select(static found => (
            found.Groups["name"].Value,
            Matcher().Matches(found.Groups["matchers"].Value)
                .Select(static matcher => (matcher.Groups["label"].Value, matcher.Groups["value"].Value)).ToArray()))];
    }

    public IReadOnlyList<string> Labels { get; }

    public IReadOnlyList<(string Name, (string Label, string Value)[] Matchers)> Selectors { get; }

    [GeneratedRegex(@"\b(by|without|on|ignoring)\s*\((?<labels>[^)]*)\)")]
    private static partial Regex Grouping();

    [GeneratedRegex(@"^label_values\((?<query>.*), *(?<label>\w+)\)$")]
    private static partial Regex LabelValues();

    // Ranges, offsets, operators, and the names of functions.
    [GeneratedRegex(@"\[[^\]]*\]|\boffset\s+\w+|\b(and|or|unless)\b|\b[a-z_]+\s*(?=\()")]
    private static partial Regex Left();

    // A selector without a name selects series of any metric.
    [GeneratedRegex(@"(?<![\w.""])((?<name>[a-z_]\w*)(\{(?<matchers>[^}]*)\})?|\{(?<matchers>[^}]*)\})")]
    private static partial Regex Selector();

    [GeneratedRegex("""(?<label>\w+)\s*(=~|!~|!=|=)\s*"(?<value>[^"]*)"?""")]
    private static partial Regex Matcher();
}
