using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Tests.Edge;

/// <summary>What services make of a path before they look at it, each in its own way; none knows how the gateway decides.</summary>
internal static partial class Normalisation
{
    /// <summary>The ways.</summary>
    public static IReadOnlyList<Func<string, string>> All { get; } =
    [
        // RFC 3986, with everything decoded.
        path => WithoutDots(Uri.UnescapeDataString(path)),
        path => WithoutDots(Uri.UnescapeDataString(Uri.UnescapeDataString(path))),
        path => WithoutDots(Uri.UnescapeDataString(path).Replace('\\', '/')),
        path => WithoutDots(Parameter().Replace(Uri.UnescapeDataString(Parameter().Replace(path, "")), "")),
        path => WithoutDots(Slashes().Replace(Uri.UnescapeDataString(path), "/")),
        // And some of those that fold letters: compatibility forms, and white space that file systems leave out.
        path => WithoutDots(Folded(Uri.UnescapeDataString(path))),
    ];

    /// <summary>Every path that one, two or three services in a row could come to.</summary>
    public static IReadOnlySet<string> Closure(string path)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal) { path };
        for (var step = 0; step < 3; step++) paths.UnionWith([.. paths.SelectMany(one => All.Select(normalise => normalise(one)))]);
        return paths;
    }

    // RFC 3986, 5.2.4, by segments.
    private static string WithoutDots(string path)
    {
        var kept = new List<string>();
        var segments = path.Split('/');
        foreach (var segment in segments[1..])
        {
            if (segment == ".." && kept.Count > 0) kept.RemoveAt(kept.Count - 1);
            else if (segment is not ("." or "..")) kept.Add(segment);
        }

        return "/" + string.Join('/', kept);
    }

    private static string Folded(string path)
    {
        var folded = new StringBuilder();
        foreach (var character in path)
        {
            folded.Append(character switch
            {
                '\uff0f' or '\u2215' or '\u2044' => "/",
                '\uff3c' or '\ufe68' or '\u00a5' or '\u20a9' => "\\",
                '\uff05' or '\ufe6a' or '\u066a' => "%",
                '\uff1b' or '\u037e' => ";",
                '\uff0e' or '\ufe52' or '\u2024' => ".",
                '\u2025' => "..",
                '\u200b' or '\ufeff' or ' ' or '\0' => "",
                _ when char.IsSeparator(character) || char.GetUnicodeCategory(character) == UnicodeCategory.Format => "",
                _ => character.ToString(),
            });
        }

        return folded.ToString().Replace('\\', '/');
    }

    [GeneratedRegex(";[^/]*")]
    private static partial Regex Parameter();

    [GeneratedRegex("/{2,}")]
    private static partial Regex Slashes();
}
