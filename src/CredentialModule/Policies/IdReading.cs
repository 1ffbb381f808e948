namespace CredentialModule.Policies;

/// <summary>
/// Whether an id can be read at the beginning of a text of which only the beginning is known. docs/session-policies.md has the cases.
/// </summary>
internal static class IdReading
{
    /// <summary>Two different ids a and b, so that a and its closer stand at the start of <paramref name="between"/> and b; null when there are none.</summary>
    /// <param name="ids">The form of ids.</param>
    /// <param name="between">What stands before b.</param>
    /// <param name="closerOfA">What can follow a.</param>
    /// <param name="closerOfB">What can follow b.</param>
    /// <param name="example">The two; null when there may be such ids, and none are shown.</param>
    public static bool CanMeet(
        OrganizationIdFormat ids, string between, Closer closerOfA, Closer closerOfB, out (OrganizationId A, OrganizationId B)? example)
    {
        example = null;
        var read = between + ids.Prefix;
        if (!read.StartsWith(ids.Prefix, StringComparison.Ordinal))
            return false;
        var body = read[ids.Prefix.Length..];
        var run = body.TakeWhile(ids.Contains).Count();
        if (ids.HasOneLength)
            return CanMeetOneLength(ids, between, body, run, closerOfA, out example);
        if (run < body.Length)
        {
            // A is a part of the head: that organization meets every other.
            if (run < ids.MinLength || run > ids.MaxLength || !closerOfA.Admits(body[run]))
                return false;
            var a = Counterexample.Id(ids, body[..run]);
            example = (a, Counterexample.Others(ids).First(id => id != a));
            return true;
        }

        // The rest of the head and b are, together, a.
        if (run + ids.MinLength > ids.MaxLength || !closerOfA.Meets(closerOfB))
            return false;
        example = (Counterexample.Id(ids, body + ids.ShortestId.Value[ids.Prefix.Length..]), ids.ShortestId);
        return true;
    }

    /// <summary>Whether some text that begins with the literal begins with an id and its closer.</summary>
    /// <param name="ids">The form of ids.</param>
    /// <param name="literal">What is known of the text.</param>
    /// <param name="goesOn">Whether anything may follow it; else it is the whole text.</param>
    /// <param name="closer">What can follow the id.</param>
    public static bool CanBegin(OrganizationIdFormat ids, string literal, bool goesOn, Closer closer)
    {
        var known = Math.Min(literal.Length, ids.Prefix.Length);
        if (!literal.AsSpan(0, known).SequenceEqual(ids.Prefix.AsSpan(0, known)))
            return false;
        if (literal.Length <= ids.Prefix.Length)
            return goesOn;
        var body = literal[ids.Prefix.Length..];
        var run = body.TakeWhile(ids.Contains).Count();
        if (ids.HasOneLength)
        {
            if (run < Math.Min(body.Length, ids.MaxLength))
                return false;
            return body.Length > ids.MaxLength ? closer.Admits(body[ids.MaxLength]) : goesOn || (body.Length == ids.MaxLength && closer.AdmitsEnd);
        }

        if (run > ids.MaxLength)
            return false;
        return run < body.Length ? run >= ids.MinLength && closer.Admits(body[run]) : goesOn || (run >= ids.MinLength && closer.AdmitsEnd);
    }

    private static bool CanMeetOneLength(
        OrganizationIdFormat ids, string between, string body, int run, Closer closerOfA, out (OrganizationId A, OrganizationId B)? example)
    {
        example = null;
        // What is known of a's body has to be of the set.
        if (run < Math.Min(body.Length, ids.MaxLength))
            return false;
        // What follows a: the head, b's prefix, or a character of b's body.
        var length = ids.Prefix.Length + ids.MaxLength;
        var next = between + ids.Prefix;
        var isKnown = length < next.Length;
        if (isKnown ? !closerOfA.Admits(next[length]) : !closerOfA.Anything && !closerOfA.Literals.Any(ids.Contains))
            return false;
        foreach (var b in Counterexample.Others(ids))
        {
            var text = between + b.Value;
            if (!isKnown && !closerOfA.Admits(text[length]))
                text = text[..length] + closerOfA.Literals.First(ids.Contains) + text[(length + 1)..];
            if (ids.TryParse(text[..length], out var first) && ids.TryParse(text[between.Length..], out var second) && first != second)
            {
                example = (first, second);
                break;
            }
        }

        return true;
    }
}
