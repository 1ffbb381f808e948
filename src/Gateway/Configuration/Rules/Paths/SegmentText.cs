namespace Gateway.Configuration.Rules.Paths;

/// <summary>
/// The texts that one path segment can have: a single text, or any text with a given start and end, between which an organization id may be required.
/// Comparisons ignore case, because routing does and services may.
/// </summary>
internal sealed record SegmentText
{
    /// <summary>A segment with any text.</summary>
    public static SegmentText Any { get; } = new() { Start = "", End = "" };

    /// <summary>The whole text, or its start.</summary>
    public required string Start { get; init; }

    /// <summary>The end of the text. Empty when <see cref="Start"/> is the whole text.</summary>
    public required string End { get; init; }

    /// <summary>Whether <see cref="Start"/> is the whole text.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The format of the organization id between start and end. Null when any text is allowed there.</summary>
    public OrganizationIdFormat? Ids { get; init; }

    /// <summary>Whether the text identifies the organization.</summary>
    public bool NamesOrganization { get; init; }

    /// <summary>Returns a segment with exactly one text.</summary>
    public static SegmentText Whole(string text) => new() { Start = text, End = "", IsWhole = true };

    /// <summary>Whether some text matches both segments. Also true if that is unknown.</summary>
    public bool Meets(SegmentText other)
    {
        if (IsWhole) return other.IsWhole ? Same(Start, other.Start) : other.Takes(Start);
        if (other.IsWhole) return Takes(other.Start);
        return Begins(FullStart, other.FullStart) && Ends(End, other.End);
    }

    private string FullStart => Start + Ids?.Prefix;

    private bool Takes(string text) =>
        text.Length > Start.Length + End.Length
        && text.StartsWith(Start, StringComparison.OrdinalIgnoreCase) && text.EndsWith(End, StringComparison.OrdinalIgnoreCase)
        && (Ids is null || IsIdInSomeCase(Ids, text[Start.Length..^End.Length]));

    // Whether a text is an organization id after letters are switched to the case that the format accepts. Ids are case-sensitive, but a client may
    // write a route's literal in any case.
    private static bool IsIdInSomeCase(OrganizationIdFormat ids, string text)
    {
        if (!text.StartsWith(ids.Prefix, StringComparison.OrdinalIgnoreCase)) return false;
        var body = text[ids.Prefix.Length..].Select(character => ids.Contains(character) ? character : Switched(character));
        return ids.TryParse(ids.Prefix + string.Concat(body), out _);
    }

    private static char Switched(char character) => char.IsAsciiLetterUpper(character) ? char.ToLowerInvariant(character) : char.ToUpperInvariant(character);

    private static bool Same(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);

    private static bool Begins(string one, string other) => Same(one[..Math.Min(one.Length, other.Length)], other[..Math.Min(one.Length, other.Length)]);

    private static bool Ends(string one, string other) => Same(one[^Math.Min(one.Length, other.Length)..], other[^Math.Min(one.Length, other.Length)..]);
}
