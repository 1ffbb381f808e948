namespace IotCredentials.Policies;

/// <summary>
/// Determines whether an id can be read at the beginning of a text if only that beginning is known. docs/session-policies.md has the cases.
/// </summary>
internal static class IdReading
{
    /// <summary>Whether there may be two different ids a and b, so that <paramref name="between"/> followed by b begins with a and its closer.</summary>
    /// <param name="ids">The form of ids.</param>
    /// <param name="between">The text before b.</param>
    /// <param name="closerOfA">The characters that can follow a.</param>
    /// <param name="closerOfB">The characters that can follow b.</param>
    /// <param name="example">The two ids; null if there are none, or none was found.</param>
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
            // The head contains all of a: that organization collides with every other.
            if (run < ids.MinLength || run > ids.MaxLength || !closerOfA.Admits(body[run]))
                return false;
            var a = Counterexample.Id(ids, body[..run]);
            example = (a, ids.Examples.First(id => id != a));
            return true;
        }

        // The rest of the head and b together form a.
        if (run + ids.MinLength > ids.MaxLength || !closerOfA.Meets(closerOfB))
            return false;
        example = (Counterexample.Id(ids, body + ids.ShortestId.Value[ids.Prefix.Length..]), ids.ShortestId);
        return true;
    }

    /// <summary>Whether some text that begins with the literal begins with an id and its closer.</summary>
    /// <param name="ids">The form of ids.</param>
    /// <param name="literal">The known beginning of the text.</param>
    /// <param name="goesOn">Whether anything may follow the literal; else it is the whole text.</param>
    /// <param name="closer">The characters that can follow the id.</param>
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
        // The known part of a's body must consist of an id's characters.
        if (run < Math.Min(body.Length, ids.MaxLength))
            return false;
        // The character after a is in the head, in b's prefix or in b's body.
        var length = ids.Prefix.Length + ids.MaxLength;
        var next = between + ids.Prefix;
        var isKnown = length < next.Length;
        if (isKnown ? !closerOfA.Admits(next[length]) : !closerOfA.Anything && !closerOfA.Literals.Any(ids.Contains))
            return false;
        foreach (var b in ids.Examples)
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
