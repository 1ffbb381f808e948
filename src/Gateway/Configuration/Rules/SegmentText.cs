using CredentialModule;

namespace Gateway.Configuration.Rules;

/// <summary>
/// The texts that one segment of a path can have: one text, or any with a start and an end, in the middle of which an organization's id may be
/// required. Comparisons ignore case, as routing does and as services may.
/// </summary>
internal sealed record SegmentText
{
    /// <summary>A segment of any text.</summary>
    public static SegmentText Any { get; } = new() { Start = "", End = "" };

    /// <summary>The whole text, or what it begins with.</summary>
    public required string Start { get; init; }

    /// <summary>The end of the text; empty when <see cref="Start"/> is the whole.</summary>
    public required string End { get; init; }

    /// <summary>Whether <see cref="Start"/> is the whole text.</summary>
    public bool IsWhole { get; init; }

    /// <summary>The form of the organization's id that stands between start and end; null when anything may.</summary>
    public OrganizationIdFormat? Ids { get; init; }

    /// <summary>Whether the text says which organization is meant.</summary>
    public bool NamesOrganization { get; init; }

    /// <summary>A segment of one text.</summary>
    public static SegmentText Whole(string text) => new() { Start = text, End = "", IsWhole = true };

    /// <summary>Whether some text is one of both. True as well where it is not known.</summary>
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

    // A client may write a literal of a route in any case, and ids tell cases apart.
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
