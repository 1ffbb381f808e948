using System.Text.RegularExpressions;
using Testing;

namespace Gateway.Tests;

/// <summary>Reads tables of the documentation.</summary>
internal static partial class DocumentTable
{
    /// <summary>The cells of each row of the first table below a heading.</summary>
    public static IReadOnlyList<string[]> Rows(string page, string heading) =>
    [
        .. File.ReadLines(Path.Combine(Repository.Root, "docs", page))
            .SkipWhile(line => line != heading)
            .SkipWhile(line => !line.StartsWith('|'))
            .TakeWhile(line => line.StartsWith('|'))
            .Skip(2)
            .Select(row => row.Trim().Trim('|').Split('|', StringSplitOptions.TrimEntries)),
    ];

    /// <summary>The parts of a text that are set as code.</summary>
    public static IEnumerable<string> Code(string text) => Quoted().Matches(text).Select(match => match.Groups["code"].Value);

    [GeneratedRegex("`(?<code>[^`]+)`")]
    private static partial Regex Quoted();
}
